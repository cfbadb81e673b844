/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A server's key and certificate as one thing on the disk, so that no process ever starts with a
 * key that does not fit. In the server's folder:
 *
 *   pair-HEX/{key,cert}.pem     one pair, written whole before anything names it
 *   pair -> pair-HEX            the one in force: changed by one rename
 *   previous -> pair-HEX        the one before, until the new one has served
 *   {key,cert}.pem -> pair/...  where programs look
 *
 * Everything is done as the server's own user: nothing that it plants there leads root astray. All
 * functions block on the disk; ERR_IO, ERR_LIMIT.
 */
#ifndef ENROLL_PUMPCTL_KEY_PAIR_H
#define ENROLL_PUMPCTL_KEY_PAIR_H

#include <stdbool.h>
#include <stddef.h>

#include "enroll/pumpctl/settings.h"

struct key_pair {
	const char *folder; /* of the server, such as HOME/est */
	struct owner owner;
};

/* Brings key.pem and cert.pem of an older release, or a change that was cut short, into this form.
 * Their content stays. */
int key_pair_adopt(const struct key_pair *p) MUST_USE;
/* A new pair in force from now on; both in PEM. The one before is kept as `previous`, or the one
 * before that if that is still unsettled: it is the one that serves. */
int key_pair_put(const struct key_pair *p, const void *key, size_t key_len, const void *cert,
		 size_t cert_len) MUST_USE;
/* The folder of the pair in force, as it is called in `folder`; "" when there is none. */
#define KEY_PAIR_NAME_SIZE 64
void key_pair_name(const struct key_pair *p, char out[KEY_PAIR_NAME_SIZE]);
/* Is there a previous pair that the one in force has not taken over from yet? */
bool key_pair_is_unsettled(const struct key_pair *p);
/* The new pair has served: what is not in force goes. */
int key_pair_settle(const struct key_pair *p) MUST_USE;
/* The previous pair is in force again. ERR_NOT_FOUND without one. */
int key_pair_restore(const struct key_pair *p) MUST_USE;

#endif
