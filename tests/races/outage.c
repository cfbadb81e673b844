/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Owns the kills: server processes that end by SIGKILL while pumps come and go, and the times
 * during which one of them was away. The supervisor starts them again.
 */
#include <dirent.h>
#include <err.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "tests/races/races.h"

#define GAP_US 1500000	 /* between two kills, at most */
#define LOOK_US 20000	 /* between two looks for the new process */
#define BACK_US 30000000 /* until it must be there */
#define START_US 1500000 /* it exists; until it serves */

static const char *const victims[] = {"pumpgate-regist", "pumpgate-dispat", "freeradius",
				      "radiusd"};
#define VICTIMS (sizeof(victims) / sizeof(victims[0]))

/* The parent and the name (cut to 15 bytes) of a process. */
static bool process_read(long pid, long *parent, char name[32])
{
	char path[64], line[512], *open, *close;
	FILE *f;
	bool ok;

	snprintf(path, sizeof(path), "/proc/%ld/stat", pid);
	f = fopen(path, "re");
	if (!f)
		return false;
	ok = fgets(line, sizeof(line), f) != NULL;
	fclose(f);
	open = ok ? strchr(line, '(') : NULL;
	close = ok ? strrchr(line, ')') : NULL;
	if (!open || !close || close - open > 31 || sscanf(close + 1, " %*c %ld", parent) != 1)
		return false;
	snprintf(name, 32, "%.*s", (int)(close - open - 1), open + 1);
	return true;
}

/* The server of clinicians' logins is a freeradius too, but not the one that is meant. */
static bool serves_logins(long pid)
{
	char path[64], line[1024];
	size_t n = 0;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%ld/cmdline", pid);
	f = fopen(path, "re");
	if (f) {
		n = fread(line, 1, sizeof(line), f);
		fclose(f);
	}
	return memmem(line, n, "/clinicians/raddb", strlen("/clinicians/raddb")) != NULL;
}

/* 0: the supervisor has no such child. */
static long child_find(long supervisor, const char *wanted)
{
	DIR *d = opendir("/proc");
	struct dirent *e;
	long found = 0;

	if (!d)
		err(1, "/proc");
	while (!found && (e = readdir(d))) {
		long pid = strtol(e->d_name, NULL, 10), parent;
		char name[32];

		if (pid > 0 && process_read(pid, &parent, name) && parent == supervisor &&
		    !strcmp(name, wanted) && !serves_logins(pid))
			found = pid;
	}
	closedir(d);
	return found;
}

static long victim_find(const struct outages *o, unsigned victim)
{
	return child_find(o->supervisor, victims[victim]);
}

/* Kills one process and waits until it is there again. */
static void outage_make(struct outages *o, unsigned victim)
{
	long pid = victim_find(o, victim);
	struct outage *now = &o->all[o->n];

	if (!pid || o->n == OUTAGES_MAX)
		return;
	now->from_us = clock_mono_us();
	if (kill((pid_t)pid, SIGKILL))
		err(1, "kill %s", victims[victim]);
	for (;;) {
		long again = victim_find(o, victim);

		if (again && again != pid)
			break;
		if (clock_mono_us() - now->from_us > BACK_US)
			errx(1, "%s was killed and did not come back", victims[victim]);
		usleep(LOOK_US);
	}
	usleep(START_US);
	now->to_us = clock_mono_us();
	o->n++;
	printf("# %s was killed, away for %lld ms at most\n", victims[victim],
	       (long long)(now->to_us - now->from_us) / 1000);
}

static void *kill_all(void *arg)
{
	struct outages *o = arg;
	unsigned from = dice_below(&o->dice, VICTIMS);

	for (unsigned i = 0; i < VICTIMS; i++) {
		usleep(dice_below(&o->dice, GAP_US));
		outage_make(o, (from + i) % VICTIMS);
	}
	return NULL;
}

void outages_begin(struct outages *o, uint64_t seed)
{
	if (!o->supervisor)
		return;
	o->dice.state = seed;
	if (pthread_create(&o->thread, NULL, kill_all, o))
		err(1, "thread");
}

void outages_end(struct outages *o)
{
	if (o->supervisor)
		pthread_join(o->thread, NULL);
}

int64_t outages_excuse(const struct outages *o, int64_t from_us, int64_t within_us)
{
	for (unsigned i = 0; i < o->n; i++) /* in the order of time */
		if (o->all[i].from_us < from_us + within_us && o->all[i].to_us > from_us)
			from_us = o->all[i].to_us;
	return from_us;
}
