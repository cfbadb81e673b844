/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Owns the administration of people: lists on a thread of its own, new secrets hashed there too,
 * and what changes the database on the writer's thread.
 */
#include "sql/credd/credd.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/daemon.h"
#include "base/log.h"
#include "base/secret.h"
#include "sql/credd/glass.h"
#include "sql/wire/login_text.h"
#include "sql/proto/cred_verbs.h"

#define ROWS_MAX 1000

static void hand_over(struct credd *c, struct lane *lane, struct ipc_request *rq)
{
	struct admin_job *j = calloc(1, sizeof(*j));
	int rc = j ? 0 : err_set(ERR_NOMEM, "no memory for a request");

	if (!rc) {
		j->job.c = c;
		j->job.rq = rq;
		j->job.kind = CRED_JOB_ADMIN;
		actor_name(rq, j->actor);
		rc = lane_put(lane, &j->job.lane, 0);
	}
	if (rc) {
		free(j);
		ipc_request_fail(rq, rc);
	}
}

void verb_admin_read(struct ipc_request *rq, void *ctx)
{
	struct credd *c = ctx;

	atomic_store(&c->login_connections, ipc_server_role_count(c->server, "login"));
	hand_over(c, c->admin, rq);
}

void verb_admin_directory(struct ipc_request *rq, void *ctx)
{
	struct credd *c = ctx;

	if (c->directory)
		hand_over(c, c->directory, rq);
	else
		ipc_request_fail(rq, err_set(ERR_NOT_FOUND, "no directory is set: pumpgate.conf "
							    "has no [directory]"));
}

void verb_admin_write(struct ipc_request *rq, void *ctx)
{
	struct credd *c = ctx;

	hand_over(c, c->admin, rq); /* to hash first */
}

void admin_job_free(struct admin_job *j)
{
	size_t n = 0;

	if (j->hashes) {
		ipc_request_records(j->job.rq, &n);
		secret_wipe(j->hashes, n * sizeof(*j->hashes));
	}
	if (j->glass) {
		ipc_request_records(j->job.rq, &n);
		glass_batches_free(j->glass, n);
	}
	free(j->hashes);
	free(j);
}

/* ---- hashing ---- */

static int password_hash(const struct credd *c, const uint8_t *secret, size_t len, const char *name,
			 char out[PHC_SIZE])
{
	char password[LOGIN_PASSWORD_MAX + 1];
	int rc = login_password_prepare(secret, len, password);

	if (!rc)
		rc = password_floor(password, name);
	if (!rc)
		rc = hasher_hash(c->hasher, password, out);
	secret_wipe(password, sizeof(password));
	return rc;
}

static int pin_hash(const struct credd *c, const uint8_t *secret, size_t len, char out[PHC_SIZE])
{
	char pin[LOGIN_PASSWORD_MAX + 1];
	int rc = login_password_prepare(secret, len, pin);

	if (!rc)
		rc = pin_floor(pin);
	if (!rc)
		rc = hasher_hash(c->hasher, pin, out);
	secret_wipe(pin, sizeof(pin));
	return rc;
}

static int user_add_hash(const struct credd *c, const struct user_add *u, char out[2][PHC_SIZE])
{
	int rc = 0;

	if (u->password.len)
		rc = password_hash(c, u->password.data, u->password.len, u->name, out[0]);
	if (!rc && u->pin.len)
		rc = pin_hash(c, u->pin.data, u->pin.len, out[1]);
	return rc ? err_add(rc, "user %s", u->name) : 0;
}

static int secrets_hash(struct admin_job *j)
{
	const struct credd *c = j->job.c;
	size_t n;
	const void *records = ipc_request_records(j->job.rq, &n);
	const struct user_add *u = records;
	const struct user_secret *s = records;
	int rc = 0;

	if (ipc_request_verb(j->job.rq)->verb == CRED_GLASS_ISSUE)
		return glass_make(records, n, &j->glass);
	if (ipc_request_verb(j->job.rq)->verb != CRED_USER_ADD &&
	    ipc_request_verb(j->job.rq)->verb != CRED_USER_SECRET)
		return 0;
	j->hashes = calloc(n, sizeof(*j->hashes));
	if (!j->hashes)
		return err_set(ERR_NOMEM, "no memory for hashes");
	if (ipc_request_verb(j->job.rq)->verb == CRED_USER_ADD) {
		for (size_t i = 0; !rc && i < n; i++)
			rc = user_add_hash(c, &u[i], j->hashes[i]);
		return rc;
	}
	if (s->remove)
		return 0;
	return *s->badge
		       ? pin_hash(c, s->secret.data, s->secret.len, j->hashes[0][1])
		       : password_hash(c, s->secret.data, s->secret.len, s->name, j->hashes[0][0]);
}

/* ---- reading ---- */

/* Names in queries are prepared as those in logins. */
static int name_of(const void *record, char out[LOGIN_USER_SIZE])
{
	const struct user_name *q = record;

	*out = 0;
	return *q->name ? login_name_prepare((const uint8_t *)q->name, strlen(q->name), out) : 0;
}

static int status_read(struct cred_worker *w, struct cred_status *out)
{
	struct credd *c = w->c;

	snprintf(out->version, sizeof(out->version), "%s", PUMPGATE_VERSION);
	out->started_at = c->started_at;
	out->accepted = atomic_load(&c->accepted);
	out->refused = atomic_load(&c->refused);
	out->throttled = atomic_load(&c->throttled);
	out->busy = atomic_load(&c->busy);
	out->spraying = atomic_load(&c->spraying);
	out->behind = atomic_load(&c->behind);
	out->hash_us = hasher_cost_us(c->hasher);
	out->directory = c->source.verify != NULL;
	source_status(c, out);
	out->login_present = atomic_load(&c->login_connections) > 0;
	return people_status(w->people, clock_wall_ms(), out);
}

static int unlock(struct admin_job *j, const char *name, struct user_unlocked *out)
{
	struct credd *c = j->job.c;

	pthread_mutex_lock(&c->lock);
	out->pumps = throttle_unlock(c->throttle, credd_print(c, name, strlen(name)),
				     clock_mono_us() / 1000);
	pthread_mutex_unlock(&c->lock);
	return 0;
}

/* The badges' meters are by their numbers. */
static int unlock_badges(struct cred_worker *w, struct admin_job *j, const char *name,
			 struct user_unlocked *out)
{
	struct credd *c = w->c;
	struct user_badge badges[16];
	size_t n;
	int rc = people_user_badges(w->people, name, badges, 16, &n);

	pthread_mutex_lock(&c->lock);
	for (size_t i = 0; !rc && i < n; i++)
		out->pumps += throttle_unlock(
			c->throttle, credd_print(c, badges[i].badge, strlen(badges[i].badge)) ^ 1,
			clock_mono_us() / 1000);
	pthread_mutex_unlock(&c->lock);
	if (!rc)
		LOG(LOG_INFO, "user.unlock", LOG_S("user", name), LOG_S("by", j->actor),
		    LOG_U("pumps", out->pumps));
	return rc;
}

/* Up to ROWS_MAX rows of the verb's reply record. */
static int rows_read(struct cred_worker *w, struct admin_job *j, void *out, size_t *n)
{
	const void *q = ipc_request_record(j->job.rq);
	int64_t now_ms = clock_wall_ms();
	char name[LOGIN_USER_SIZE];
	int rc;

	*n = 1;
	switch (ipc_request_verb(j->job.rq)->verb) {
	case CRED_USER_LIST:
		return people_user_list(w->people, q, now_ms, out, ROWS_MAX, n);
	case CRED_LOGIN_LIST:
		return people_login_list(w->people, q, now_ms, out, ROWS_MAX, n);
	case CRED_ROLE_LIST:
		return people_role_list(w->people, q, out, ROWS_MAX, n);
	case CRED_AUDIT_TAIL:
		return people_audit_tail(w->people, q, out, ROWS_MAX, n);
	case CRED_AUDIT_VERIFY:
		return people_audit_verify(w->people, out);
	case CRED_AUDIT_HEAD:
		return people_audit_head(w->people, ((const struct audit_head_query *)q)->seq, out);
	case CRED_STATUS:
		return status_read(w, out);
	case CRED_GLASS_LIST:
		return people_glass_list(w->people, q, now_ms, out, ROWS_MAX, n);
	case CRED_GLASS_COUNT:
		return people_glass_count(w->people, now_ms, out);
	default:
		break;
	}
	rc = name_of(q, name);
	if (rc)
		return rc;
	switch (ipc_request_verb(j->job.rq)->verb) {
	case CRED_USER_SHOW:
		return people_user_show(w->people, name, now_ms, out);
	case CRED_USER_ROLES:
		return people_user_roles(w->people, name, out, ROWS_MAX, n);
	case CRED_USER_BADGES:
		return people_user_badges(w->people, name, out, ROWS_MAX, n);
	case CRED_USER_UNLOCK:
		rc = unlock(j, name, out);
		return rc ? rc : unlock_badges(w, j, name, out);
	default:
		return err_set(ERR_INTERNAL, "a verb without a reader");
	}
}

static void read_answer(struct cred_worker *w, struct admin_job *j)
{
	const struct ipc_verb *verb = ipc_request_verb(j->job.rq);
	void *rows = calloc(ROWS_MAX, verb->rep->size);
	size_t n = 0;
	int rc = rows ? rows_read(w, j, rows, &n) : err_set(ERR_NOMEM, "no memory for an answer");

	if (rc)
		ipc_request_fail(j->job.rq, rc);
	else
		ipc_request_reply(j->job.rq, rows, n);
	free(rows);
	free(j);
}

static bool is_reader(const struct admin_job *j)
{
	switch (ipc_request_verb(j->job.rq)->verb) {
	case CRED_USER_ADD:
	case CRED_USER_STATE:
	case CRED_USER_SECRET:
	case CRED_USER_ROLE:
	case CRED_ROLE_SET:
	case CRED_GLASS_ISSUE:
	case CRED_GLASS_REVIEW:
	case CRED_GLASS_VOID:
		return false;
	default:
		return true;
	}
}

void admin_run(struct lane_job **jobs, size_t n, void *worker)
{
	struct cred_worker *w = worker;

	for (size_t i = 0; i < n; i++) {
		struct admin_job *j = (struct admin_job *)(void *)jobs[i];
		int rc;

		if (is_reader(j)) {
			read_answer(w, j);
			continue;
		}
		rc = secrets_hash(j);
		if (!rc)
			rc = lane_put(w->c->writer, &j->job.lane, 0);
		if (rc) {
			struct ipc_request *rq = j->job.rq;

			LOG(LOG_WARN, ipc_request_verb(rq)->name, LOG_S("by", j->actor),
			    LOG_S("outcome", err_name(rc)));
			admin_job_free(j);
			ipc_request_fail(rq, rc);
		}
	}
}
