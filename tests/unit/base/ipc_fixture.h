/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A small service on a thread of its own, for the tests of base/ipc_server and base/ipc_client, and
 * a raw peer that can say anything. Everything asserts; nothing here is reused outside tests.
 */
#ifndef TESTS_UNIT_BASE_IPC_FIXTURE_H
#define TESTS_UNIT_BASE_IPC_FIXTURE_H

#include <stddef.h>
#include <stdint.h>

#include "base/ipc_record.h"

#define NOTE_FIELDS(X, S)     \
	X(S, U32, number, 1)  \
	X(S, U32, wait_ms, 1) \
	X(S, STR, text, 32)
RECORD_DECLARE(note, NOTE_FIELDS)

enum {
	VERB_ECHO = 1,	 /* note -> note, at once */
	VERB_LATER = 2,	 /* note -> note from another thread, wait_ms later */
	VERB_POST = 3,	 /* note, one-way */
	VERB_FAIL = 4,	 /* note -> ERR_CONFLICT with its text */
	VERB_MANY = 5,	 /* note[1..4] -> note[] */
	VERB_FD = 6,	 /* note -> a descriptor that reads "handed over" */
	VERB_ADMIN = 99, /* not in the table of the role "narrow" */
};

#define FIXTURE_IN_FLIGHT 4
#define FIXTURE_CONNECTIONS 16
#define FIXTURE_OTHER_UID 65533 /* may be "narrow" */

/* Listens at fixture_path(); roles: "tester" (all verbs), "narrow" (ECHO), "nobody" (no uid),
 * "person" (all verbs for another uid, ECHO alone for ours). */
void fixture_start(void);
void fixture_stop(void);
const char *fixture_path(void);
/* One-way notes taken so far, and requests handed to threads that are not answered yet, at most. */
unsigned fixture_posts(void);
unsigned fixture_held_most(void);

int raw_connect(void);
/* A frame around `len` payload bytes; announces `announced` bytes instead when it is not 0. */
size_t raw_frame(uint8_t *out, uint16_t verb, uint64_t id, const void *body, size_t len,
		 uint32_t announced);
void raw_send(int fd, const void *data, size_t len);
/* Says hello and takes the welcome. */
void raw_hello(int fd, const char *role);
/* A frame with one note of this number. */
size_t raw_note(uint8_t *out, uint16_t verb, uint64_t id, uint32_t number, uint32_t wait_ms);
/* True when the service ends the connection within two seconds. */
bool raw_is_cut(int fd);
/* Reads one whole frame with a note; yields its number, the request id in *id_out. */
uint32_t raw_receive(int fd, uint64_t *id_out);

#endif
