/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What every import of a list does the same way: read the file in pieces, name each bad row, show
 * how far it is, sum up. Standard output gets the result, standard error the progress.
 */
#ifndef ENROLL_PUMPCTL_IMPORT_RUN_H
#define ENROLL_PUMPCTL_IMPORT_RUN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"

struct add_outcome;
struct call;

struct import_run {
	const struct call *call; /* --json, --dry-run */
	const char *rows;	 /* what they are, for people: "pumps" */
	const char *key;	 /* the name of a row's name in JSON: "serial" */
	bool dry_run;
	bool progress;
	unsigned long added, unchanged, refused;
	off_t size, done; /* bytes of the file; size 0: unknown */
	int64_t shown_us;
};

void import_begin(struct import_run *r, const struct call *call, const char *rows, const char *key);

/* Counts and names a bad row; `why` may hold anything. ERR_IO when the answer cannot be written. */
int import_refuse(struct import_run *r, unsigned line, const char *name, const char *why) MUST_USE;
/* Counts what became of one row; a refused one is named. */
int import_take(struct import_run *r, unsigned line, const char *name,
		const struct add_outcome *o) MUST_USE;
/* Not more often than ten times a second. */
void import_progress_show(struct import_run *r);

/* Gives the bytes of the file ("-": standard input) to `feed` in order. Blocks. ERR_IO, ERR_NOMEM,
 * what `feed` returns. */
int import_file_read(struct import_run *r, const char *path,
		     int (*feed)(void *ctx, const void *data, size_t len), void *ctx) MUST_USE;

/* Sums up. `rc`: how it went; `failure` tells of a bad one and returns the exit status for it. */
int import_end(struct import_run *r, int rc, int (*failure)(const struct call *call, int rc));

#endif
