/* SPDX-License-Identifier: BSD-2-Clause */
/* Owns the filter, and the calls that every service with an event loop needs. */
#include "base/cage.h"

#include <errno.h>
#include <string.h>

#include <seccomp.h>

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define IS_SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer) || \
	__has_feature(memory_sanitizer)
#define IS_SANITIZED 1
#endif
#endif

bool cage_is_sanitized(void)
{
#ifdef IS_SANITIZED
	return true;
#else
	return false;
#endif
}

#ifdef IS_SANITIZED
int cage_enter(const struct cage *cage)
{
	(void)cage;
	return 0;
}
#else
static const int basics[] = {
	/* loop */
	SCMP_SYS(epoll_wait), SCMP_SYS(epoll_pwait), SCMP_SYS(epoll_ctl), SCMP_SYS(timerfd_settime),
	/* memory */
	SCMP_SYS(brk), SCMP_SYS(mmap), SCMP_SYS(munmap), SCMP_SYS(mremap), SCMP_SYS(mprotect),
	SCMP_SYS(madvise), SCMP_SYS(mlock), SCMP_SYS(munlock),
	/* threads, signals, end */
	SCMP_SYS(futex), SCMP_SYS(sched_yield), SCMP_SYS(sched_getaffinity), SCMP_SYS(rseq),
	SCMP_SYS(set_robust_list), SCMP_SYS(rt_sigaction), SCMP_SYS(rt_sigprocmask),
	SCMP_SYS(rt_sigreturn), SCMP_SYS(sigaltstack), SCMP_SYS(restart_syscall), SCMP_SYS(tgkill),
	SCMP_SYS(exit), SCMP_SYS(exit_group),
	/* clocks, random numbers, who am I */
	SCMP_SYS(clock_gettime), SCMP_SYS(clock_nanosleep), SCMP_SYS(nanosleep),
	SCMP_SYS(gettimeofday), SCMP_SYS(time), SCMP_SYS(getrandom), SCMP_SYS(getpid),
	SCMP_SYS(gettid), SCMP_SYS(getuid), SCMP_SYS(geteuid)};

static const int deadly[] = {SCMP_SYS(execve), SCMP_SYS(execveat), SCMP_SYS(ptrace),
			     SCMP_SYS(process_vm_readv), SCMP_SYS(process_vm_writev)};
#define N(array) (sizeof(array) / sizeof((array)[0]))

static void filter_release(scmp_filter_ctx *filter)
{
	seccomp_release(*filter);
}

static int calls_add(scmp_filter_ctx filter, uint32_t action, const int *calls, size_t n)
{
	int rc = 0;

	for (size_t i = 0; !rc && i < n; i++)
		rc = seccomp_rule_add(filter, action, calls[i], 0);
	return rc;
}

static int socket_allow(scmp_filter_ctx filter, const struct cage_socket *s)
{
	const struct scmp_arg_cmp domain = SCMP_A0(SCMP_CMP_EQ, (scmp_datum_t)s->domain);
	const struct scmp_arg_cmp type = SCMP_A1(SCMP_CMP_EQ, (scmp_datum_t)s->type);

	if (!s->type)
		return seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(socket), 1, domain);
	return seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(socket), 2, domain, type);
}

int cage_enter(const struct cage *cage)
{
	__attribute__((cleanup(filter_release))) scmp_filter_ctx filter =
		seccomp_init(SCMP_ACT_ERRNO(EPERM));
	int rc = filter ? 0 : -ENOMEM;

	if (!rc)
		rc = calls_add(filter, SCMP_ACT_ALLOW, basics, N(basics));
	if (!rc)
		rc = calls_add(filter, SCMP_ACT_ALLOW, cage->calls, cage->n_calls);
	if (!rc)
		rc = calls_add(filter, SCMP_ACT_KILL_PROCESS, deadly, N(deadly));
	for (size_t i = 0; !rc && i < cage->n_sockets; i++)
		rc = socket_allow(filter, &cage->sockets[i]);
	if (!rc) /* the threads that run already */
		rc = seccomp_attr_set(filter, SCMP_FLTATR_CTL_TSYNC, 1);
	if (!rc)
		rc = seccomp_load(filter);
	return rc ? err_set(ERR_IO, "seccomp: %s", strerror(-rc)) : 0;
}
#endif
