/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Error codes and the thread's error text.
 *
 * A function that can fail returns 0 or a negative ERR_* and leaves a sentence for people in the
 * calling thread; outer layers put their own words in front of it. Nothing here logs or exits.
 */
#ifndef BASE_ERR_H
#define BASE_ERR_H

#include <stdbool.h>

#define MUST_USE __attribute__((warn_unused_result))
#define PRINTF_LIKE(f, a) __attribute__((format(printf, f, a)))

/* The values travel between processes (ipc status): append only, never renumber. */
enum err {
	ERR_OK = 0,
	ERR_NOMEM = -1,	       /* no memory */
	ERR_INVALID = -2,      /* input is malformed or breaks a rule */
	ERR_LIMIT = -3,	       /* a size, count or rate limit was reached */
	ERR_NOT_FOUND = -4,    /* no such object */
	ERR_EXISTS = -5,       /* an object of that name exists and differs */
	ERR_UNCHANGED = -6,    /* nothing to do: already as asked */
	ERR_CONFLICT = -7,     /* the object's state does not allow it */
	ERR_DENIED = -8,       /* the peer may not do this, or a proof was wrong */
	ERR_EXPIRED = -9,      /* a token, window or certificate is past its time */
	ERR_USED = -10,	       /* a one-time thing was used before */
	ERR_TIMEOUT = -11,     /* no answer in time: the outcome is unknown */
	ERR_UNAVAILABLE = -12, /* the peer is not there: nothing was done */
	ERR_BUSY = -13,	       /* a queue is full: try again */
	ERR_IO = -14,	       /* the operating system refused; the text has the reason */
	ERR_FULL = -15,	       /* no space left on the device */
	ERR_CORRUPT = -16,     /* stored or received data contradicts itself */
	ERR_NEWER = -17,       /* stored by a newer version of this software */
	ERR_CRYPTO = -18,      /* the TLS or X.509 library refused; the text has the reason */
	ERR_INTERNAL = -19,    /* a bug in this program */
};

/* Macros, so that the compiler sees that a constant code is not 0. */

/* Sets the thread's text; yields `code`, for `return err_set(ERR_X, "...")`. */
#define err_set(code, ...) (err_text_set(__VA_ARGS__), (code))
/* As err_set, followed by strerror(errno); ENOSPC and EDQUOT turn `code` into ERR_FULL. */
#define err_errno(code, ...) (err_text_set_errno(__VA_ARGS__) ? ERR_FULL : (code))
/* Puts the formatted words and ": " in front of the thread's text; yields `code`. */
#define err_add(code, ...) (err_text_add(__VA_ARGS__), (code))

void err_text_set(const char *fmt, ...) PRINTF_LIKE(1, 2);
/* True when errno said that the disk or quota is full. errno is kept. */
bool err_text_set_errno(const char *fmt, ...) PRINTF_LIKE(1, 2);
void err_text_add(const char *fmt, ...) PRINTF_LIKE(1, 2);

/* The thread's last text; never NULL, valid until the thread's next err_* call. */
const char *err_text(void);

/* A stable short name such as "not-found"; never NULL. */
const char *err_name(int code);

#endif
