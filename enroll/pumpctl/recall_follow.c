/* SPDX-License-Identifier: BSD-2-Clause */
/* Owns the waiting for a recall. Ending this program ends no recall. */
#include "enroll/pumpctl/recall_follow.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "enroll/pumpctl/recall_report.h"
#include "enroll/pumpctl/record_json.h"
#include "enroll/pumpctl/registry.h"
#include "enroll/pumpctl/report.h"

#define WAIT_DEFAULT "10s"
#define POLL_MIN_US 50000
#define POLL_MAX_US 999000
#define POLL_SHARE 15 /* counting the orders of thousands costs registryd: one part in so many */
#define AWAY_MAX_US 60000000LL
#define NAS_PAGE 500
#define BAR_WIDTH 30

int recall_wait_take(const struct call *call, int64_t *wait_ms_out)
{
	const char *wait = call_value(call, "wait");

	if (call_flag(call, "no-wait")) {
		*wait_ms_out = -1;
		return 0;
	}
	return clock_duration_parse(wait ? wait : WAIT_DEFAULT, wait_ms_out);
}

static void progress_show(const struct recall *r)
{
	uint64_t done = r->revoked + r->already;
	uint64_t answered = r->acked + r->gone;
	int filled = r->pumps ? (int)(done * BAR_WIDTH / r->pumps) : 0;

	fprintf(stderr,
		"\r\033[K[%-*.*s] %" PRIu64 "/%" PRIu64 " revoked, %" PRIu64 "/%" PRIu64
		" disconnects confirmed",
		BAR_WIDTH, filled, "##############################", done, r->pumps, answered,
		r->orders);
}

/* Nobody answers while registryd restarts; the recall goes on when it is back. */
static int look(struct ipc_client *c, const struct id_query *q, int64_t *away_since_us,
		struct recall *out)
{
	int rc = registry_recall_show(c, q, out, REGISTRY_TIMEOUT_MS);
	int64_t now = clock_mono_us();

	if (exit_status_of(rc) != EXIT_TRY_AGAIN) {
		*away_since_us = 0;
		return rc;
	}
	if (!*away_since_us)
		*away_since_us = now;
	return now - *away_since_us < AWAY_MAX_US ? ERR_BUSY : rc;
}

/* Longer when the answer took long. */
static void poll_pause(int64_t took_us)
{
	int64_t us = took_us * POLL_SHARE;
	struct timespec pause = {0};

	us = us < POLL_MIN_US ? POLL_MIN_US : us > POLL_MAX_US ? POLL_MAX_US : us;
	pause.tv_nsec = us * 1000;
	nanosleep(&pause, NULL);
}

static int await(struct ipc_client *c, uint64_t id, int64_t wait_ms)
{
	const struct id_query q = {.id = id};
	const bool progress = isatty(STDERR_FILENO);
	int64_t away_us = 0, revoked_us = 0;
	struct recall r = {0};
	int rc;

	for (;;) {
		int64_t asked_us = clock_mono_us();

		rc = look(c, &q, &away_us, &r);
		if (rc && rc != ERR_BUSY)
			break;
		if (!rc && progress)
			progress_show(&r);
		if (!rc && !strcmp(r.state, "done") && !revoked_us)
			revoked_us = clock_mono_us();
		if (!rc && (recall_is_settled(&r) ||
			    (revoked_us && clock_mono_us() - revoked_us >= wait_ms * 1000)))
			break;
		poll_pause(clock_mono_us() - asked_us);
	}
	if (progress)
		fputs("\r\033[K", stderr);
	return rc;
}

static int report_read(struct ipc_client *c, uint64_t id, struct recall_report *out)
{
	const struct id_query q = {.id = id};
	struct recall_nas_query of = {.id = id};
	size_t n = NAS_PAGE;
	int rc = registry_recall_show(c, &q, &out->recall, REGISTRY_TIMEOUT_MS);

	while (!rc && n == NAS_PAGE) {
		struct recall_nas *more =
			realloc(out->nas, (out->n_nas + NAS_PAGE) * sizeof(*more));

		if (!more)
			return err_set(ERR_NOMEM, "no memory for the report");
		out->nas = more;
		rc = registry_recall_nas(c, &of, more + out->n_nas, NAS_PAGE, &n,
					 REGISTRY_TIMEOUT_MS);
		if (rc || !n)
			break;
		out->n_nas += n;
		memcpy(of.after, more[out->n_nas - 1].nas, sizeof(of.after));
	}
	return rc;
}

static int outcome_status(const struct recall *r)
{
	switch (recall_outcome(r)) {
	case RECALL_GREEN:
		return r->revoked ? EXIT_DONE : EXIT_NOTHING;
	case RECALL_UNSENT:
		return EXIT_FAILED;
	case RECALL_STOPPED:
		return !strcmp(r->state, "cancelled") ? EXIT_FAILED : EXIT_TRY_AGAIN;
	case RECALL_OPEN:
		break;
	}
	return EXIT_TRY_AGAIN;
}

int recall_report_show(const struct call *call, struct ipc_client *c, uint64_t id, bool only_show)
{
	struct recall_report r = {0};
	char next[160];
	int rc = report_read(c, id, &r), status;

	if (!rc && call->json)
		rc = json_show(recall_report_to_json(&r));
	else if (!rc)
		recall_report_print(stdout, &r);
	if (rc) {
		free(r.nas);
		return registry_failure(call, rc);
	}
	recall_next_step(&r.recall, next, sizeof(next));
	if (*next)
		report_note("pumpctl: recall %" PRIu64 ": %s", r.recall.id, next);
	status = only_show ? EXIT_DONE : outcome_status(&r.recall);
	free(r.nas);
	return status;
}

int recall_follow(const struct call *call, struct ipc_client *c, uint64_t id, int64_t wait_ms)
{
	int rc = 0;

	if (wait_ms >= 0) {
		report_note("pumpctl: recall %" PRIu64 " is carried out by registryd and goes on "
			    "without this program; stop it: pumpctl recall pause %" PRIu64,
			    id, id);
		rc = await(c, id, wait_ms);
	}
	return rc ? registry_failure(call, rc) : recall_report_show(call, c, id, false);
}
