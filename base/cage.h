/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A system call filter for services that serve sockets from an event loop and need nothing else any
 * more. A call that is not allowed fails with EPERM; starting a program or reaching into another
 * process ends the process. A library of its own (libseccomp), for the services that use it.
 */
#ifndef BASE_CAGE_H
#define BASE_CAGE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

struct cage_socket {
	int domain;
	int type; /* with its flags, exactly; 0: any */
};

struct cage {
	const int *calls; /* SCMP_SYS(...), beside loop, memory, threads, clocks: cage.c */
	size_t n_calls;
	const struct cage_socket *sockets; /* that may be made */
	size_t n_sockets;
};

/* For good, for all threads. Does nothing in sanitized builds, whose runtime needs more. ERR_IO. */
int cage_enter(const struct cage *cage) MUST_USE;
/* Built with a sanitizer, which needs calls and memory that the program itself does not. */
bool cage_is_sanitized(void);

#endif
