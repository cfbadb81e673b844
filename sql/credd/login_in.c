/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Owns what the loop thread does with a login: reads it, asks the throttle, hands it over. Nothing
 * here waits, and nothing here says whether there is such an account.
 */
#include "sql/credd/credd.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/secret.h"
#include "sql/wire/login_text.h"
#include "sql/proto/cred_verbs.h"

#define BUSY_RETRY_S 2

uint64_t credd_print(const struct credd *c, const void *data, size_t len)
{
	unsigned char hash[crypto_shorthash_BYTES];
	uint64_t out;

	crypto_shorthash(hash, data, len, c->hash_key);
	memcpy(&out, hash, sizeof(out));
	return out;
}

/* The state that leads the blob; without a blob it is a plain login by password. */
static int says_read(const struct cred_login *rq, struct login_job *j)
{
	struct cursor blob = cursor_of(rq->says.data, rq->says.len), record;
	uint8_t kind;
	int rc;

	if (rq->says.len == 0)
		return 0;
	rc = login_item_next(&blob, &kind, &record);
	if (rc <= 0 || kind != LOGIN_KIND_STATE)
		return err_set(ERR_INVALID, "the blob does not begin with the pump's state");
	rc = record_get(&record, &record_login_state, &j->says);
	j->items = blob;
	if (!rc && *j->says.method && strcmp(j->says.method, "password") &&
	    strcmp(j->says.method, "pin"))
		rc = err_set(ERR_INVALID, "no such method of logging in");
	j->by_badge = !strcmp(j->says.method, "pin");
	return rc;
}

static int login_read(const struct cred_login *rq, struct login_job *j)
{
	int rc = says_read(rq, j);

	if (rc || j->contact)
		return rc;
	rc = j->by_badge ? login_badge_prepare(rq->name.data, rq->name.len, j->name)
			 : login_name_prepare(rq->name.data, rq->name.len, j->name);
	return rc ? rc : login_password_prepare(rq->password.data, rq->password.len, j->password);
}

static void who_set(struct login_job *j, const struct cred_login *rq)
{
	struct credd *c = j->job.c;
	char pump[ISSUER_SIZE + CERT_SERIAL_SIZE];

	snprintf(pump, sizeof(pump), "%s/%s", rq->issuer, rq->cert_serial);
	j->who.pump = credd_print(c, pump, strlen(pump));
	j->who.source = credd_print(c, rq->source, strlen(rq->source));
	j->who.user = credd_print(c, j->name, strlen(j->name)) ^ (j->by_badge ? 1 : 0);
	j->password_print = credd_print(c, j->password, strlen(j->password));
}

/* A contact is no try: it is charged to nobody, but its pump has no more of them at once. */
static enum throttle_verdict admit(struct login_job *j)
{
	struct credd *c = j->job.c;
	enum throttle_verdict verdict;
	int64_t wait_ms;

	pthread_mutex_lock(&c->lock);
	verdict = throttle_begin(c->throttle, &j->who, clock_mono_us() / 1000, &wait_ms, &j->tell);
	pthread_mutex_unlock(&c->lock);
	j->retry_s = (uint32_t)((wait_ms + 999) / 1000);
	j->charged = verdict == THROTTLE_GO;
	return verdict;
}

static struct login_job *job_new(struct credd *c, struct ipc_request *rq)
{
	struct login_job *j = calloc(1, sizeof(*j));

	if (!j) {
		ipc_request_fail(rq, err_set(ERR_NOMEM, "no memory for a login"));
		return NULL;
	}
	j->job.c = c;
	j->job.rq = rq;
	j->job.kind = CRED_JOB_LOGIN;
	j->job.arrived_us = clock_mono_us();
	j->contact = ipc_request_verb(rq)->verb == CRED_CONTACT;
	j->why = "";
	return j;
}

void verb_login(struct ipc_request *rq, void *ctx)
{
	struct credd *c = ctx;
	const struct cred_login *q = ipc_request_record(rq);
	struct login_job *j = job_new(c, rq);
	bool bad;

	if (!j)
		return;
	bad = login_read(q, j) != 0;
	who_set(j, q);
	j->result = LOGIN_TRY_AGAIN;
	switch (admit(j)) {
	case THROTTLE_WAIT:
		atomic_fetch_add(&c->throttled, 1);
		j->result = LOGIN_THROTTLED;
		j->why = "throttled";
		if (j->tell)
			login_to_writer(j);
		else
			login_answer(j);
		return;
	case THROTTLE_BUSY:
		j->why = "pump-busy";
		break;
	case THROTTLE_GO:
		if (bad) {
			j->result = LOGIN_MALFORMED;
			j->why = "malformed";
			login_to_writer(j);
			return;
		}
		if (lane_put(j->contact ? c->contacts : c->hashing, &j->job.lane, 0) == 0)
			return;
		j->why = "busy";
	}
	atomic_fetch_add(&c->busy, 1);
	j->retry_s = BUSY_RETRY_S;
	login_answer(j);
}
