/* SPDX-License-Identifier: BSD-2-Clause */
/* Owns the loop and its account. Never waits for anything but its next tick. */
#include "pump_agent/controller_emulator/loop.h"

#include <sched.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <time.h>

#include "base/secret.h"

#define NL_PER_TICK 14 /* 5 ml/h at 10 ms */

static void add(atomic_uint *n, unsigned more)
{
	if (more)
		atomic_store_explicit(n, atomic_load_explicit(n, memory_order_relaxed) + more,
				      memory_order_relaxed);
}

static void raise_to(atomic_uint *n, unsigned v)
{
	if (v > atomic_load_explicit(n, memory_order_relaxed))
		atomic_store_explicit(n, v, memory_order_relaxed);
}

static int64_t us_of(const struct timespec *t)
{
	return (int64_t)t->tv_sec * 1000000 + t->tv_nsec / 1000;
}

int64_t loop_now_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return us_of(&t);
}

static void place(struct loop *l)
{
	const struct sched_param p = {.sched_priority = l->options.priority};
	cpu_set_t set;

	if (l->options.cpu >= 0) {
		CPU_ZERO(&set);
		CPU_SET((size_t)l->options.cpu, &set);
		sched_setaffinity(0, sizeof(set), &set);
	}
	mlockall(MCL_CURRENT | MCL_FUTURE);
	atomic_store(&l->account.is_real_time,
		     p.sched_priority > 0 && !sched_setscheduler(0, SCHED_FIFO, &p));
}

static void key_take(struct loop *l, const struct pumplink_view *view)
{
	struct keypad *k = &l->keypad;

	if (atomic_load_explicit(&k->state, memory_order_acquire) != KEYPAD_PRESSED)
		return;
	switch (k->key) {
	case KEY_INFUSE:
	case KEY_IDLE:
		l->is_infusing = k->key == KEY_INFUSE;
		break;
	case KEY_LOGIN:
		k->request = pumplink_login(l->link, k->name, k->secret);
		break;
	case KEY_BADGE:
		k->request = pumplink_login_badge(l->link, k->name, k->secret);
		break;
	case KEY_CODE:
		k->request = pumplink_login_break_glass(l->link, k->secret);
		break;
	case KEY_CANCEL:
		pumplink_cancel(l->link);
		break;
	case KEY_LOGOUT:
		pumplink_logout(l->link, false);
		break;
	case KEY_VIEW:
	case KEY_POLL:
		break;
	}
	secret_wipe(k->secret, sizeof(k->secret));
	k->result = pumplink_login_poll(l->link, k->request, &k->wait_s);
	k->view = *view;
	k->is_infusing = l->is_infusing;
	atomic_store_explicit(&k->state, KEYPAD_DONE, memory_order_release);
}

/* What is asked of pumplink in every tick. */
static void link_look(struct loop *l, struct pumplink_view *view)
{
	struct rusage before;
	struct rusage after;
	int64_t begun;
	int64_t ended;

	getrusage(RUSAGE_THREAD, &before);
	begun = loop_now_us();
	pumplink_look(l->link, (uint64_t)begun / 1000, view);
	pumplink_tell_infusing(l->link, l->is_infusing ? PUMPLINK_INFUSING : PUMPLINK_IDLE);
	key_take(l, view);
	ended = loop_now_us();
	getrusage(RUSAGE_THREAD, &after);
	add(&l->account.call_sleeps, (unsigned)(after.ru_nvcsw - before.ru_nvcsw));
	add(&l->account.call_faults,
	    (unsigned)(after.ru_minflt + after.ru_majflt - before.ru_minflt - before.ru_majflt));
	raise_to(&l->account.call_max_us, (unsigned)(ended - begun));
}

static void lateness(struct loop_account *a, int64_t late_us)
{
	size_t bucket = late_us < 0 ? 0 : (size_t)late_us;

	if (bucket >= LATENESS_FINE)
		bucket = LATENESS_FINE + (bucket - LATENESS_FINE) / LATENESS_COARSE;
	add(&a->late[bucket < LATENESS_BUCKETS ? bucket : LATENESS_BUCKETS - 1], 1);
	raise_to(&a->late_max_us, late_us < 0 ? 0 : (unsigned)late_us);
}

void loop_run(struct loop *l)
{
	const int64_t period_us = l->options.period_us;
	struct pumplink_view view;
	struct timespec wake;
	int64_t due;

	place(l);
	due = loop_now_us();
	atomic_store(&l->account.begun_us, due);
	while (!atomic_load_explicit(&l->stop, memory_order_relaxed)) {
		int64_t late;

		due += period_us;
		wake.tv_sec = due / 1000000;
		wake.tv_nsec = due % 1000000 * 1000;
		while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &wake, NULL))
			;
		late = loop_now_us() - due;
		lateness(&l->account, late);
		link_look(l, &view);
		if (l->is_infusing)
			add(&l->account.delivered_nl, NL_PER_TICK);
		add(&l->account.ticks, 1);
		if (late >= period_us) /* those are gone: a pump does not push twice as hard */
			due += late / period_us * period_us;
	}
}
