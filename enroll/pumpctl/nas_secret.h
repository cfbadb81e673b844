/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The shared secret of a NAS on its way through pumpctl: read from a file or standard input, or
 * made here and written to a file of mode 0600 or alone to standard output. Never in an argument,
 * never beside other text.
 */
#ifndef ENROLL_PUMPCTL_NAS_SECRET_H
#define ENROLL_PUMPCTL_NAS_SECRET_H

#include "enroll/pumpctl/args.h"
#include "sql/proto/registry_records.h"

#define NAS_SECRET_MADE 32 /* letters and digits: 190 bits, and every switch takes them */

/* A random secret into out. */
void nas_secret_make(char out[NAS_SECRET_MADE + 1]);

/* ERR_INVALID unless one of --secret-file and --secret-out is given. */
int nas_secret_check(const struct call *call) MUST_USE;
/* Takes --secret-file, or makes one for --secret-out, into n->secret; the file is written before
 * the registry is told, so that no secret is in force that nobody has. ERR_INVALID (it is too
 * short), ERR_EXISTS (a file is never overwritten), ERR_IO. Blocks. */
int nas_secret_take(const struct call *call, struct nas *n) MUST_USE;
/* After a successful take, with the registry's answer: prints the secret where standard output was
 * asked for; takes the written file back where it certainly is not in force. */
void nas_secret_settle(const struct call *call, const struct nas *n, int rc);
/* True when standard output belongs to the secret. */
bool nas_secret_on_stdout(const struct call *call);

#endif
