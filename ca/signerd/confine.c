/* SPDX-License-Identifier: BSD-2-Clause */
/* Owns the list of system calls that the signer gives up. */
#include "ca/signerd/confine.h"

#include <errno.h>
#include <seccomp.h>
#include <string.h>
#include <sys/socket.h>

/* AddressSanitizer's search for leaks, when the process ends, stops its threads by ptrace. */
#if defined(__SANITIZE_ADDRESS__)
#define LEAKS_ARE_SOUGHT 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define LEAKS_ARE_SOUGHT 1
#endif
#endif

static inline void filter_auto_release(scmp_filter_ctx *f)
{
	if (*f)
		seccomp_release(*f);
}

/* Never used by a process that reads, signs, appends and answers. io_uring would open sockets
 * behind the filter's back. */
static const int given_up[] = {
	SCMP_SYS(execve),
	SCMP_SYS(execveat),
#ifndef LEAKS_ARE_SOUGHT
	SCMP_SYS(ptrace),
#endif
	SCMP_SYS(process_vm_readv),
	SCMP_SYS(process_vm_writev),
	SCMP_SYS(pidfd_getfd),
	SCMP_SYS(io_uring_setup),
	SCMP_SYS(io_uring_enter),
	SCMP_SYS(io_uring_register),
	SCMP_SYS(bpf),
	SCMP_SYS(perf_event_open),
	SCMP_SYS(userfaultfd),
	SCMP_SYS(mount),
	SCMP_SYS(umount2),
	SCMP_SYS(pivot_root),
	SCMP_SYS(chroot),
	SCMP_SYS(unshare),
	SCMP_SYS(setns),
	SCMP_SYS(init_module),
	SCMP_SYS(finit_module),
	SCMP_SYS(delete_module),
	SCMP_SYS(kexec_load),
	SCMP_SYS(kexec_file_load),
	SCMP_SYS(add_key),
	SCMP_SYS(request_key),
	SCMP_SYS(keyctl),
	SCMP_SYS(open_by_handle_at),
	SCMP_SYS(personality),
	SCMP_SYS(setuid),
	SCMP_SYS(setreuid),
	SCMP_SYS(setresuid),
	SCMP_SYS(setgid),
	SCMP_SYS(setregid),
	SCMP_SYS(setresgid),
	SCMP_SYS(setgroups),
	SCMP_SYS(vmsplice),
	SCMP_SYS(acct),
	SCMP_SYS(reboot),
	SCMP_SYS(swapon),
	SCMP_SYS(swapoff),
};

static int rules_add(scmp_filter_ctx f)
{
	const uint32_t refuse = SCMP_ACT_ERRNO(EPERM);
	int rc = 0;

	for (size_t i = 0; !rc && i < sizeof(given_up) / sizeof(given_up[0]); i++)
		rc = seccomp_rule_add(f, refuse, given_up[i], 0);
	if (!rc)
		rc = seccomp_rule_add(f, refuse, SCMP_SYS(socket), 1,
				      SCMP_A0(SCMP_CMP_NE, AF_UNIX));
	if (!rc)
		rc = seccomp_rule_add(f, refuse, SCMP_SYS(socketpair), 1,
				      SCMP_A0(SCMP_CMP_NE, AF_UNIX));
	return rc;
}

int confine_signer(void)
{
	__attribute__((cleanup(filter_auto_release))) scmp_filter_ctx f =
		seccomp_init(SCMP_ACT_ALLOW);
	int rc;

	if (!f)
		return err_set(ERR_NOMEM, "no memory for the system call filter");
	/* other system call tables (32 bit, x32) would be a way around: the process is killed */
	rc = seccomp_attr_set(f, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS);
	if (!rc)
		rc = rules_add(f);
	if (!rc)
		rc = seccomp_load(f);
	return rc ? err_set(ERR_IO, "system call filter: %s", strerror(-rc)) : 0;
}
