/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A thread that shuts down sockets whose time is over. libldap can't be held to a deadline while it
 * shakes hands over TLS or reads half a message; a socket that is shut down under it ends that.
 */
#ifndef SQL_DIRECTORY_WATCH_H
#define SQL_DIRECTORY_WATCH_H

#include <stdint.h>

#include "base/err.h"

#define WATCH_MAX 256 /* sockets at once */

struct watch;

/* Starts the thread. ERR_NOMEM, ERR_IO. */
int watch_new(struct watch **out) MUST_USE;
/* No socket may be watched any more. NULL ok. */
void watch_free(struct watch *w);

/* Thread-safe, all three. The watch keeps a duplicate of `fd`, so it can't hit a later socket of
 * the same number. until_us is of clock_mono_us; INT64_MAX: never. ERR_BUSY, ERR_IO. */
int watch_add(struct watch *w, int fd, int64_t until_us, int *slot_out) MUST_USE;
void watch_move(struct watch *w, int slot, int64_t until_us);
void watch_remove(struct watch *w, int slot);

#endif
