/* SPDX-License-Identifier: BSD-2-Clause */
/* Owns the writer's thread: what logins leave in the database, many in one transaction, and the
 * audit rows of them. No answer says "accepted" before its row is on the disk. */
#include "sql/credd/credd.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/secret.h"

#define JOURNAL_AT_ONCE 64 /* more than fit one blob */
#define ODD_EVERY_MS 1000

static void session_make(struct login_job *j, int64_t now_ms)
{
	struct login_session *s = &j->session;
	uint8_t id[(LOGIN_ID_SIZE - 1) / 2];

	secret_fill_random(id, sizeof(id));
	hex_encode(id, sizeof(id), s->login_id, sizeof(s->login_id));
	snprintf(s->user, sizeof(s->user), "%s", j->account.name);
	snprintf(s->device, sizeof(s->device), "%s", j->pump.device);
	snprintf(s->ward, sizeof(s->ward), "%s", j->pump.ward);
	snprintf(s->role, sizeof(s->role), "%s", j->terms.role);
	snprintf(s->method, sizeof(s->method), "%s", j->by_badge ? "pin" : "password");
	s->started = now_ms;
	s->until = now_ms + (int64_t)j->terms.session_s * 1000;
}

/* The name of an account that does not exist is not written down: it is too often a password. */
static int login_note(struct people *p, struct login_job *j, int64_t now_ms)
{
	const struct cred_login *rq = ipc_request_record(j->job.rq);
	char action[REASON_SIZE], detail[TEXT_SIZE];
	const struct login_note n = {
		.by = {.actor = j->account_known ? j->account.name : "-", .at = now_ms},
		.action = action,
		.device = j->pump.device,
		.detail = detail};

	snprintf(action, sizeof(action), "login.%s", login_result_word(j->result));
	snprintf(detail, sizeof(detail),
		 "online method=%s ward=%s role=%s reason=%s login=%s source=%s%s%s",
		 j->by_badge ? "pin" : "password", j->pump.ward,
		 j->result == LOGIN_OK ? j->terms.role : "", j->why, j->session.login_id,
		 rq->source,
		 *j->pump.device ? "" : " certificate=", *j->pump.device ? "" : rq->cert_serial);
	return people_note(p, &n);
}

static int spray_write(struct people *p, struct login_job *j, int64_t now_ms)
{
	const struct login_note n = {.by = {.actor = "-", .at = now_ms},
				     .action = "login.spraying",
				     .device = j->pump.device,
				     .detail = "one password was tried over many names"};

	LOG(LOG_WARN, "login.spraying", LOG_S("device", j->pump.device));
	return people_note(p, &n);
}

int login_odd(struct people *p, struct login_job *j, atomic_llong *told_ms, const char *action,
	      const char *detail, int64_t now_ms)
{
	const struct login_note n = {.by = {.actor = "-", .at = now_ms},
				     .action = action,
				     .device = j->pump.device,
				     .detail = detail};

	if (now_ms - atomic_load(told_ms) < ODD_EVERY_MS)
		return 0;
	atomic_store(told_ms, now_ms);
	LOG(LOG_WARN, action, LOG_S("device", j->pump.device), LOG_S("what", detail));
	return people_note(p, &n);
}

static int journal_write(struct people *p, struct login_job *j, int64_t now_ms)
{
	struct cursor items = j->items, record;
	uint64_t stored;
	uint64_t replayed = 0;
	uint8_t kind;
	int rc = 0, more;

	if (j->says.journal.len != LOGIN_JOURNAL_ID || !*j->pump.device)
		return 0;
	for (int n = 0; n < JOURNAL_AT_ONCE; n++) {
		struct login_record r;

		more = login_item_next(&items, &kind, &record);
		if (more <= 0)
			break;
		if (kind != LOGIN_KIND_RECORD)
			continue;
		if (record_get(&record, &record_login_record, &r))
			break; /* what came before it is stored, and told so */
		rc = people_journal_add(p, j->pump.device, j->pump.ward, &j->says, &r, now_ms,
					&stored);
		if (rc == ERR_UNCHANGED) {
			replayed++;
			rc = 0;
		}
		if (rc)
			break;
	}
	if (replayed) /* as after an answer that was lost */
		LOG(LOG_INFO, "login.journal_repeated", LOG_S("device", j->pump.device),
		    LOG_U("records", replayed));
	if (rc == ERR_CONFLICT || rc == ERR_LIMIT)
		rc = login_odd(p, j, &j->job.c->journal_told_ms, "login.journal-gap", err_text(),
			       now_ms);
	return rc;
}

int login_write(struct people *p, struct login_job *j, int64_t now_ms)
{
	int rc = 0;

	if (j->result == LOGIN_OK && !j->contact) {
		session_make(j, now_ms);
		if (j->provision)
			rc = account_provision(p, j, now_ms);
		if (!rc)
			rc = people_login_add(p, &j->account, j->new_hash, &j->session);
		if (rc == ERR_CONFLICT) { /* disabled or changed since it was read */
			j->result = LOGIN_NOT_ALLOWED;
			j->why = "changed-meanwhile";
			memset(&j->session, 0, sizeof(j->session));
			rc = 0;
		}
	}
	if (!rc && (!j->contact || j->result != LOGIN_OK))
		rc = login_note(p, j, now_ms);
	if (!rc && j->sprayed)
		rc = spray_write(p, j, now_ms);
	if (!rc && j->result != LOGIN_PUMP_REFUSED)
		rc = journal_write(p, j, now_ms);
	return rc ? rc : login_hears(j->result == LOGIN_PUMP_REFUSED ? NULL : p, j, now_ms);
}

static int logins_write(struct people *p, struct login_job **jobs, size_t n)
{
	int64_t now_ms = clock_wall_ms();
	int rc = people_begin(p);

	for (size_t i = 0; !rc && i < n; i++)
		rc = login_write(p, jobs[i], now_ms);
	if (!rc)
		rc = people_commit(p);
	if (rc)
		people_rollback(p);
	return rc;
}

static void logins_end(struct people *p, struct login_job **jobs, size_t n)
{
	int rc = logins_write(p, jobs, n);

	if (rc)
		LOG(LOG_ERROR, "login.unwritten", LOG_U("logins", n), LOG_S("why", err_text()));
	for (size_t i = 0; i < n; i++) {
		if (rc) {
			jobs[i]->result = LOGIN_TRY_AGAIN;
			jobs[i]->retry_s = 5;
			jobs[i]->why = "database";
			jobs[i]->answer.hears.len = 0;
		}
		login_answer(jobs[i]);
	}
}

void writer_run(struct lane_job **jobs, size_t n, void *worker)
{
	struct cred_worker *w = worker;
	struct login_job *logins[LANE_BATCH_MAX];
	size_t n_logins = 0;

	for (size_t i = 0; i < n; i++) {
		struct cred_job *job = (struct cred_job *)(void *)jobs[i];

		if (job->kind == CRED_JOB_LOGIN) {
			logins[n_logins++] = (struct login_job *)(void *)job;
			continue;
		}
		if (n_logins) /* in the order in which they came */
			logins_end(w->people, logins, n_logins);
		n_logins = 0;
		admin_write(w->people, (struct admin_job *)(void *)job);
	}
	if (n_logins)
		logins_end(w->people, logins, n_logins);
}
