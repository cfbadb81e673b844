/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Owns the hospital's directory as a source of people: what its verdicts mean for a login, and the
 * account of somebody whom only the directory knows. Runs on the directory lane's threads.
 */
#include "sql/credd/directory_source.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/config.h"
#include "base/daemon.h"
#include "base/log.h"
#include "sql/wire/login_text.h"

/* Words for the audit. Static: a job keeps the pointer. */
static const char *refusal_word(enum directory_verdict v)
{
	switch (v) {
	case DIRECTORY_UNKNOWN:
		return "directory-unknown";
	case DIRECTORY_AMBIGUOUS:
		return "directory-ambiguous";
	case DIRECTORY_DISABLED:
		return "directory-disabled";
	case DIRECTORY_EXPIRED:
		return "directory-expired";
	case DIRECTORY_MUST_CHANGE:
		return "directory-must-change";
	case DIRECTORY_LOCKED:
		return "directory-locked";
	case DIRECTORY_NOT_NOW:
		return "directory-not-now";
	case DIRECTORY_NOT_PROVEN:
		return "directory-not-proven";
	default:
		return "wrong-secret";
	}
}

static void roles_take(const struct directory_person *from, struct person *out)
{
	for (; out->n_roles < from->n_roles && out->n_roles < PERSON_ROLES_MAX; out->n_roles++) {
		const struct directory_role *r = &from->roles[out->n_roles];
		struct person_role *to = &out->roles[out->n_roles];

		memcpy(to->role, r->role, sizeof(to->role));
		memcpy(to->ward, r->ward, sizeof(to->ward));
		memcpy(to->model, r->model, sizeof(to->model));
	}
}
_Static_assert(DIRECTORY_ROLE_SIZE == LOGIN_ROLE_SIZE, "role names fit");
_Static_assert(DIRECTORY_LABEL_SIZE == PERSON_PLACE_SIZE, "wards and models fit");
_Static_assert(DIRECTORY_ROLES_MAX <= PERSON_ROLES_MAX, "all roles fit");

static enum person_result answer_judge(const struct directory_answer *a, struct person *out)
{
	if (a->verdict == DIRECTORY_UNDECIDED) {
		err_text_set("%s", a->note);
		return PERSON_AWAY;
	}
	if (a->note[0]) /* another server had to answer, or the directory said why not */
		LOG(LOG_WARN, "directory.note",
		    LOG_S("verdict", directory_verdict_name(a->verdict)),
		    LOG_S("server", a->server), LOG_S("note", a->note));
	/* without a role by group there may be one by pumpctl user role: that is judged later */
	if (a->verdict != DIRECTORY_GOOD && a->verdict != DIRECTORY_NO_ROLE) {
		out->why = refusal_word(a->verdict);
		return PERSON_REFUSED;
	}
	if (login_name_prepare((const uint8_t *)a->person.account, strlen(a->person.account),
			       out->account)) {
		out->why = "directory-name";
		return PERSON_REFUSED;
	}
	snprintf(out->display, sizeof(out->display), "%s", a->person.name);
	roles_take(&a->person, out);
	return PERSON_VERIFIED;
}

static enum person_result verify(void *ctx, const char *name, const uint8_t *password,
				 size_t password_len, int64_t deadline_us, struct person *out)
{
	struct people_source *s = ctx;
	struct directory_answer a;

	return directory_login(s->directory, name, password, password_len, deadline_us, &a)
		       ? PERSON_AWAY
		       : answer_judge(&a, out);
}

static enum person_result describe(void *ctx, const char *name, int64_t deadline_us,
				   struct person *out)
{
	struct people_source *s = ctx;
	struct directory_answer a;

	return directory_find(s->directory, name, deadline_us, &a) ? PERSON_AWAY
								   : answer_judge(&a, out);
}

int account_provision(struct people *p, struct login_job *j, int64_t now_ms)
{
	const struct action by = {.actor = "directory", .at = now_ms};
	struct user_add u = {.source = "directory"};
	int rc;

	snprintf(u.name, sizeof(u.name), "%s", j->account.name);
	snprintf(u.display, sizeof(u.display), "%s", j->account.display);
	rc = people_user_add(p, &by, &u, "", "");
	if (rc == ERR_UNCHANGED || rc == ERR_EXISTS) /* a login beside this one was faster */
		rc = 0;
	if (!rc)
		rc = people_account_by_name(p, u.name, &j->account);
	if (!rc && !j->account.directory)
		rc = err_set(ERR_CONFLICT, "account %s is not the directory's", u.name);
	return rc;
}

int source_open(struct credd *c)
{
	AUTO_CONFIG conf = NULL;
	char path[PATH_MAX];
	struct people_source *s;
	struct directory *d = NULL;
	int rc = home_path(c->home, "pumpgate.conf", path);

	if (!rc)
		rc = config_read(path, &conf);
	if (!rc)
		rc = directory_new(conf, &d);
	if (rc || !d)
		return rc == ERR_NOT_FOUND && !conf ? 0 : rc;
	s = calloc(1, sizeof(*s));
	if (!s) {
		directory_free(d);
		return err_set(ERR_NOMEM, "no memory for the directory");
	}
	s->directory = d;
	pthread_mutex_init(&s->lock, NULL);
	c->people_source = s;
	c->source = (struct person_source){
		.ctx = s,
		.takes_unknown = directory_takes_unknown(d),
		.describe = describe,
		.verify = verify,
	};
	return 0;
}

void source_close(struct credd *c)
{
	struct people_source *s = c->people_source;

	if (!s)
		return;
	directory_free(s->directory);
	pthread_mutex_destroy(&s->lock);
	free(s->list);
	free(s);
	c->people_source = NULL;
}

void source_status(struct credd *c, struct cred_status *out)
{
	struct directory_health h[DIRECTORY_SERVERS_MAX];

	if (!c->people_source)
		return;
	out->directory_servers =
		(uint32_t)directory_health(c->people_source->directory, h, DIRECTORY_SERVERS_MAX);
	for (uint32_t i = 0; i < out->directory_servers; i++)
		out->directory_down += h[i].open;
}
