/* SPDX-License-Identifier: BSD-2-Clause */
/* Owns the planned restart of a server. Never leaves one with a pair that it can't start with. */
#include "enroll/pumpctl/server_restart.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <jansson.h>

#include "base/clock.h"
#include "base/daemon.h"
#include "enroll/pumpctl/layout.h"
#include "enroll/pumpctl/spawn.h"

#define HOLD_MS 1000	 /* many times what a handshake takes, a third of a NAS's patience */
#define RETURN_MS 40000	 /* more than the supervisor gives a start */
#define SYSTEMD_MS 60000 /* its own limits are shorter or kill the start anyhow */
#define LOOK_MS 20

static void wait_ms(int64_t ms)
{
	const struct timespec t = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000};

	nanosleep(&t, NULL);
}

/* ---- no new authentications for a moment: rlm_pump's operation "hold" ---- */

static void hold_begin(const struct settings *s, const struct server_cert *c, char path[PATH_MAX])
{
	path[0] = '\0';
	if (c->process != PROCESS_RADIUSD || home_path(s->home, "radius/hold", path))
		return;
	if (buf_write_file(path, 0644, "", 0)) { /* then a handshake may be cut short: no more */
		path[0] = '\0';
		return;
	}
	wait_ms(HOLD_MS);
}

static void hold_end(const char *path)
{
	if (path[0])
		unlink(path);
}

/* ---- by `pumpctl run` ---- */

/* ERR_NOT_FOUND when the supervisor is not ready yet: what it starts takes the new pair by itself.
 */
static int supervisor_find(const struct settings *s, pid_t *out)
{
	char path[PATH_MAX];
	json_t *j;
	int rc = home_path(s->home, "run.json", path);

	if (rc)
		return rc;
	j = json_load_file(path, 0, NULL);
	*out = (pid_t)json_integer_value(json_object_get(j, "pid"));
	json_decref(j);
	return *out > 1 ? 0 : err_set(ERR_NOT_FOUND, "%s names no process", path);
}

static int supervised_restart(const struct settings *s, const struct key_pair *pair)
{
	int64_t deadline_us = clock_mono_us() + RETURN_MS * 1000LL;
	char new_pair[KEY_PAIR_NAME_SIZE], now[KEY_PAIR_NAME_SIZE];
	pid_t pid;

	key_pair_name(pair, new_pair);
	if (!supervisor_find(s, &pid) && kill(pid, SIGUSR1))
		return err_errno(ERR_IO, "cannot tell `pumpctl run`");
	while (key_pair_is_unsettled(pair)) { /* it settles what has come up */
		if (clock_mono_us() > deadline_us)
			return err_set(ERR_UNAVAILABLE, "it is not back after %d s",
				       RETURN_MS / 1000);
		wait_ms(LOOK_MS);
	}
	key_pair_name(pair, now);
	return strcmp(now, new_pair) ? err_set(ERR_UNAVAILABLE, "it ended at once") : 0;
}

/* ---- by systemd ---- */

static int systemctl(const char *verb, const char *option, const char *unit, int *status_out,
		     struct buf *said)
{
	char path[PATH_MAX];
	struct spawn child = {.path = path,
			      .args = {"systemctl", option, verb, unit},
			      .owner = {geteuid(), getegid()}};
	int rc = program_find("systemctl", path);

	return rc ? rc : spawn_run(&child, SYSTEMD_MS, said, status_out);
}

static int unit_restart(const char *unit, bool *is_active_out)
{
	AUTO_BUF said = {.max = 2048};
	int status;
	int rc = systemctl("is-active", "--quiet", unit, &status, &said);

	*is_active_out = !rc && status == 0;
	if (rc || !*is_active_out)
		return rc;
	rc = systemctl("restart", "--quiet", unit, &status, &said); /* ready when it returns */
	if (!rc && status)
		rc = err_set(ERR_UNAVAILABLE, "systemctl restart %s: %s", unit,
			     said.len ? buf_cstr(&said) : "no word");
	return rc;
}

/* ---- either ---- */

static int restart_by_whoever_runs_it(const struct settings *s, const struct server_cert *c,
				      const struct key_pair *pair, bool *is_running)
{
	char unit[64];
	int rc;

	if (layout_is_locked(s->home, LOCK_RUN)) {
		*is_running = true;
		return supervised_restart(s, pair);
	}
	*is_running = layout_is_locked(s->home, LOCK_REGISTRY);
	if (!*is_running)
		return 0;
	snprintf(unit, sizeof(unit), "pumpgate-%s.service", process_name(c->process));
	rc = unit_restart(unit, is_running);
	return rc || !*is_running ? rc : key_pair_settle(pair);
}

static bool somebody_runs(const struct settings *s)
{
	return layout_is_locked(s->home, LOCK_RUN) || layout_is_locked(s->home, LOCK_REGISTRY);
}

int server_restart(const struct settings *s, const struct server_cert *c, enum restart_result *out,
		   int64_t *away_ms_out)
{
	char folder[PATH_MAX], hold[PATH_MAX] = "", why[256];
	int64_t began_us = clock_mono_us();
	bool is_running = somebody_runs(s);
	struct key_pair pair;
	int rc = server_keys_pair(s, c->process, folder, &pair);

	if (rc)
		return rc;
	if (is_running) {
		hold_begin(s, c, hold);
		rc = restart_by_whoever_runs_it(s, c, &pair, &is_running);
		hold_end(hold);
	}
	*away_ms_out = (clock_mono_us() - began_us) / 1000;
	*out = is_running ? RESTART_DONE : RESTART_NOT_RUNNING;
	if (!rc)
		return 0;
	snprintf(why, sizeof(why), "%s", err_text());
	if (key_pair_is_unsettled(&pair) && key_pair_restore(&pair))
		return err_add(rc, "%s: %s; and its previous pair could not be put back", c->folder,
			       why);
	if (!layout_is_locked(s->home, LOCK_RUN))
		(void)restart_by_whoever_runs_it(s, c, &pair, &is_running);
	return err_set(ERR_UNAVAILABLE,
		       "%s did not start with its new certificate (%s); the previous one is in "
		       "force again: look at its log, and at pumpctl doctor",
		       c->folder, why);
}
