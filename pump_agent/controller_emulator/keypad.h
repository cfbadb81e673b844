/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The emulated controller's keypad and display: a datagram socket in a folder, which the same
 * program's other commands talk to. Runs in a thread beside the loop, and tends the link there.
 */
#ifndef PUMP_AGENT_CONTROLLER_EMULATOR_KEYPAD_H
#define PUMP_AGENT_CONTROLLER_EMULATOR_KEYPAD_H

#include "pump_agent/controller_emulator/loop.h"

#define KEYPAD_SOCKET "keypad"
#define KEYPAD_ANSWER_MAX 2048

/* One press as it goes over the socket; native, both ends are one program. */
struct keypad_press {
	uint32_t is_account; /* instead of a key: the account since the last time */
	uint32_t key;	     /* enum keypad_key */
	uint32_t request;
	char name[PUMPLINK_NAME_MAX + 2];
	char secret[PUMPLINK_SECRET_MAX + 2];
};

/* Binds DIR/keypad, for its owner alone. ERR_IO, ERR_LIMIT. */
int keypad_open(const char *dir, int *fd_out) MUST_USE;
/* Serves until `stop` of the loop is set. Tends the link ten times a second. */
void keypad_serve(struct loop *l, int fd);

/* The other end: presses, and waits for the answer (JSON) for at most 3 s. ERR_UNAVAILABLE,
 * ERR_TIMEOUT, ERR_LIMIT. Wipes `press`. */
int keypad_press(const char *dir, struct keypad_press *press,
		 char answer[KEYPAD_ANSWER_MAX]) MUST_USE;

/* "ok", "refused"; never NULL. */
const char *keypad_result_name(enum pumplink_result r);

#endif
