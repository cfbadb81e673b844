/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * An emulated infusion controller: a loop of 10 ms that moves a syringe in its mind, looks at
 * pumplink in every tick, and keeps account of itself: how late it woke, which ticks it missed,
 * whether a call of pumplink slept or faulted. For tests and the demo; never near a patient.
 */
#ifndef PUMP_AGENT_CONTROLLER_EMULATOR_LOOP_H
#define PUMP_AGENT_CONTROLLER_EMULATOR_LOOP_H

#include <stdatomic.h>
#include <stdint.h>

#include "base/err.h"
#include "pump_agent/pumplink/pumplink.h"

struct loop_options {
	uint32_t period_us;
	int cpu;      /* -1: any */
	int priority; /* SCHED_FIFO, when the system lets us; 0: not asked for */
};

/* Microseconds: the first half one by one, the second half by LATENESS_COARSE, the last all above.
 */
#define LATENESS_FINE 1024
#define LATENESS_COARSE 64
#define LATENESS_BUCKETS (2 * LATENESS_FINE)

/* Written by the loop alone, read by anybody at any time: each number is right by itself. */
struct loop_account {
	atomic_int_least64_t begun_us; /* of the clock that never steps */
	atomic_uint ticks;
	atomic_uint call_sleeps;  /* voluntary context switches inside pumplink's calls */
	atomic_uint call_faults;  /* page faults there */
	atomic_uint call_max_us;  /* the longest time there, since it was last set to 0 */
	atomic_uint late_max_us;  /* likewise */
	atomic_uint delivered_nl; /* nanolitres */
	atomic_uint is_real_time;
	atomic_uint late[LATENESS_BUCKETS];
};

enum keypad_key {
	KEY_VIEW = 1,
	KEY_INFUSE,
	KEY_IDLE,
	KEY_LOGIN,
	KEY_BADGE,
	KEY_CODE,
	KEY_POLL,
	KEY_CANCEL,
	KEY_LOGOUT,
};

enum keypad_state { KEYPAD_FREE = 0, KEYPAD_PRESSED, KEYPAD_DONE };

/* One key press and its outcome. It lies with the loop while `state` says so: no lock. */
struct keypad {
	atomic_int state; /* enum keypad_state */
	enum keypad_key key;
	char name[PUMPLINK_NAME_MAX + 2]; /* one more: too long is pumplink's to refuse */
	char secret[PUMPLINK_SECRET_MAX + 2];
	uint32_t request; /* in: KEY_POLL; out: a login's number */
	enum pumplink_result result;
	uint32_t wait_s;
	struct pumplink_view view;
	bool is_infusing;
};

struct loop {
	struct loop_options options;
	struct pumplink *link;
	struct loop_account account;
	struct keypad keypad;
	bool is_infusing;
	atomic_bool stop;
};

/* The loop itself; returns when `stop` is set. Sets its own priority and processor first. */
void loop_run(struct loop *l);

int64_t loop_now_us(void);

#endif
