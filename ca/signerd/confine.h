/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The signer's cage: a system call filter, put on once everything is open. A broken-into signer can
 * then neither reach a network nor start a program nor look into another process.
 */
#ifndef CA_SIGNERD_CONFINE_H
#define CA_SIGNERD_CONFINE_H

#include "base/err.h"

/* For the calling thread and all that it starts afterwards; there is no way back. Needs
 * no_new_privs (daemon_harden). ERR_IO: the kernel refused, and the caller must not serve. */
int confine_signer(void) MUST_USE;

#endif
