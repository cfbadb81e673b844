/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Owns the threads that find out: the pump's standing, the account, its secret. They decide nothing
 * (judge.c) and write nothing.
 */
#include "sql/credd/credd.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/daemon.h"
#include "base/log.h"
#include "sql/client/registry_client.h"

#define REGISTRY_WAIT_MS 1000
#define LATE_US 1000000	     /* who asked gives up soon after: no work for nobody */
#define DIRECTORY_US 4000000 /* from its arrival */
#define AWAY_RETRY_S 5

int worker_new(struct credd *c, bool write, struct cred_worker **out)
{
	struct cred_worker *w = calloc(1, sizeof(*w));
	char path[PATH_MAX];
	int rc = w ? 0 : err_set(ERR_NOMEM, "no memory for a worker");

	if (!rc) {
		w->c = c;
		rc = people_open(c->people_path, write, &w->people);
	}
	if (!rc)
		rc = home_path(c->home, REGISTRY_SOCKET, path);
	if (!rc)
		rc = ipc_client_new(path, "cred", &w->registry);
	if (rc) {
		worker_free(w);
		return rc;
	}
	*out = w;
	return 0;
}

void worker_free(struct cred_worker *w)
{
	if (!w)
		return;
	ipc_client_free(w->registry);
	people_close(w->people);
	free(w);
}

/* Nobody could say. */
static void unsure(struct login_job *j, const char *why)
{
	j->result = LOGIN_TRY_AGAIN;
	j->retry_s = AWAY_RETRY_S;
	j->why = why;
	LOG(LOG_WARN, "login.unsure", LOG_S("reason", why), LOG_S("why", err_text()));
}

/* False: the login ends here. */
static bool pump_check(struct cred_worker *w, struct login_job *j)
{
	const struct cred_login *rq = ipc_request_record(j->job.rq);
	struct cert_name name = {0};

	snprintf(name.issuer, sizeof(name.issuer), "%s", rq->issuer);
	snprintf(name.cert_serial, sizeof(name.cert_serial), "%s", rq->cert_serial);
	ipc_client_request_id_set(w->registry, ipc_request_id(j->job.rq));
	if (registry_login_facts(w->registry, &name, &j->pump, REGISTRY_WAIT_MS)) {
		memset(&j->pump, 0, sizeof(j->pump));
		unsure(j, "registry-away");
		return false;
	}
	if (!judge_pump(&j->pump, clock_wall_ms(), &j->why)) {
		j->result = LOGIN_PUMP_REFUSED;
		return false;
	}
	return true;
}

static int account_find(struct cred_worker *w, struct login_job *j)
{
	int rc = j->by_badge ? people_account_by_badge(w->people, j->name, &j->account)
			     : people_account_by_name(w->people, j->name, &j->account);

	j->account_known = rc == 0;
	return rc == ERR_NOT_FOUND ? 0 : rc;
}

/* The terms of the role at this pump: by what the directory says of the person, else by what is
 * here. */
static int role_find(struct people *p, struct login_job *j, bool *has)
{
	const struct person *who = j->person;
	int best = -1, rc;

	*has = false;
	for (size_t i = 0; who && i < who->n_roles; i++) {
		const struct person_role *r = &who->roles[i];
		int rank = (*r->ward ? 2 : 0) + (*r->model ? 1 : 0);
		struct role_terms terms;

		if ((*r->ward && strcmp(r->ward, j->pump.ward)) ||
		    (*r->model && strcmp(r->model, j->pump.model)) || rank <= best)
			continue;
		rc = people_role_terms(p, r->role, &terms);
		if (rc == ERR_NOT_FOUND)
			continue;
		if (rc)
			return rc;
		j->terms = terms;
		best = rank;
		*has = true;
	}
	if (*has)
		return 0;
	rc = people_role_at(p, j->account.id, j->pump.ward, j->pump.model, &j->terms);
	*has = rc == 0;
	return rc == ERR_NOT_FOUND ? 0 : rc;
}

static void judge(struct cred_worker *w, struct login_job *j, bool right)
{
	struct login_case c = {.account_known = j->account_known,
			       .secret_right = right,
			       .enabled = j->account.enabled,
			       .expires_at = j->account.expires_at};

	if (right && role_find(w->people, j, &c.has_role)) {
		unsure(j, "database");
		return;
	}
	j->result = judge_login(&c, clock_wall_ms(), &j->why);
	judge_terms_end(&j->terms, j->account.expires_at, clock_wall_ms());
}

/* The PIN was right; what does the directory say of who has the badge? While it is away the roles
 * count that pumpctl gave. */
static void badge_judge(struct cred_worker *w, struct login_job *j, enum person_result r)
{
	judge(w, j, true);
	if (r == PERSON_REFUSED) {
		j->result = LOGIN_NOT_ALLOWED;
		j->why = j->person->why ? j->person->why : "directory";
	} else if (r == PERSON_AWAY && !strcmp(j->why, "no-role-here")) {
		err_text_set("whether there is a role the directory would know");
		unsure(j, "directory-away");
	}
}

/* True: the job is somebody else's now. */
static bool login_check(struct cred_worker *w, struct login_job *j)
{
	struct credd *c = w->c;
	bool right, old;

	if (clock_mono_us() - j->job.arrived_us > LATE_US) {
		err_text_set("it waited too long");
		unsure(j, "late");
		return false;
	}
	if (!pump_check(w, j))
		return false;
	if (j->contact) {
		j->result = LOGIN_OK;
		return false;
	}
	if (account_find(w, j)) {
		unsure(j, "database");
		return false;
	}
	if (!j->by_badge && (j->account_known ? j->account.directory : c->source.takes_unknown)) {
		if (c->source.verify && lane_put(c->directory, &j->job.lane, 0) == 0)
			return true;
		if (!c->source.verify)
			err_text_set("no directory is set");
		unsure(j, "directory-away");
		return false;
	}
	right = hasher_verify(c->hasher, j->account_known ? j->account.hash : "", j->password,
			      &old);
	if (right && old && hasher_hash(c->hasher, j->password, j->new_hash))
		*j->new_hash = 0; /* next time */
	if (right && j->by_badge && j->account.directory && c->source.verify) {
		if (lane_put(c->directory, &j->job.lane, 0) == 0)
			return true;
		badge_judge(w, j, PERSON_AWAY);
		return false;
	}
	judge(w, j, right);
	return false;
}

void hashing_run(struct lane_job **jobs, size_t n, void *worker)
{
	for (size_t i = 0; i < n; i++) {
		struct login_job *j = (struct login_job *)(void *)jobs[i];

		if (!login_check(worker, j))
			login_to_writer(j);
	}
}

/* Somebody whom the directory knows and this database did not by the name that was typed: by the
 * directory's own name it may all the same. False: that account is not the directory's. */
static bool account_adopt(struct cred_worker *w, struct login_job *j)
{
	const struct person *who = j->person;
	int rc = people_account_by_name(w->people, who->account, &j->account);

	if (rc == ERR_NOT_FOUND) {
		j->account = (struct account){.directory = true, .enabled = true};
		snprintf(j->account.name, sizeof(j->account.name), "%s", who->account);
		snprintf(j->account.display, sizeof(j->account.display), "%s", who->display);
		j->provision = true;
	} else if (rc || !j->account.directory) {
		memset(&j->account, 0, sizeof(j->account));
		return false;
	}
	j->account_known = true;
	return true;
}

static void directory_check(struct cred_worker *w, struct login_job *j)
{
	const struct person_source *source = &w->c->source;
	enum person_result r;

	j->person = calloc(1, sizeof(*j->person));
	err_text_set("no memory");
	if (j->by_badge) {
		badge_judge(w, j,
			    j->person
				    ? source->describe(source->ctx, j->account.name,
						       j->job.arrived_us + DIRECTORY_US, j->person)
				    : PERSON_AWAY);
		return;
	}
	r = j->person ? source->verify(source->ctx, j->account_known ? j->account.name : j->name,
				       (const uint8_t *)j->password, strlen(j->password),
				       j->job.arrived_us + DIRECTORY_US, j->person)
		      : PERSON_AWAY;
	if (r == PERSON_AWAY) {
		unsure(j, "directory-away");
		return;
	}
	if (r == PERSON_VERIFIED && !j->account_known && !account_adopt(w, j))
		r = PERSON_REFUSED;
	judge(w, j, r == PERSON_VERIFIED);
	if (r == PERSON_REFUSED && j->person->why)
		j->why = j->person->why;
}

void directory_run(struct lane_job **jobs, size_t n, void *worker)
{
	struct cred_worker *w = worker;

	for (size_t i = 0; i < n; i++) {
		struct cred_job *job = (struct cred_job *)(void *)jobs[i];

		if (job->kind == CRED_JOB_ADMIN) {
			admin_directory(w, (struct admin_job *)(void *)job);
			continue;
		}
		directory_check(w, (struct login_job *)(void *)job);
		login_to_writer((struct login_job *)(void *)job);
	}
}
