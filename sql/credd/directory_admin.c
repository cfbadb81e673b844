/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Owns what admins ask of the directory: everybody with a role, one person, the servers' state. On
 * the directory lane's threads: a list may take minutes and delays no login.
 */
#include "sql/credd/directory_source.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "sql/wire/login_text.h"
#include "sql/proto/cred_verbs.h"

#define LIST_MAX 20000 /* people */
#define PAGE 1000
#define FIND_US 5000000

struct listing {
	struct people *people;
	struct directory_entry *all;
	size_t n, room;
};

static void entry_fill(struct people *people, const struct directory_person *p,
		       struct directory_entry *e)
{
	struct account account;
	const char *state = directory_verdict_name(p->state);

	*e = (struct directory_entry){.roles = (uint32_t)p->n_roles};
	if (login_name_prepare((const uint8_t *)p->account, strlen(p->account), e->name)) {
		state = "bad-name";
		log_escape(p->account, strlen(p->account), e->name, sizeof(e->name));
	} else if (!people_account_by_name(people, e->name, &account)) {
		snprintf(e->known, sizeof(e->known), "%s",
			 account.directory ? "directory" : "local");
	}
	snprintf(e->state, sizeof(e->state), "%s", state);
	snprintf(e->display, sizeof(e->display), "%s", p->name);
	snprintf(e->dn, sizeof(e->dn), "%s", p->dn);
	if (p->n_roles)
		memcpy(e->role, p->roles[0].role, sizeof(e->role));
}

static int entry_add(void *user, const struct directory_person *p)
{
	struct listing *l = user;

	if (l->n == l->room) {
		size_t room = l->room ? 2 * l->room : 256;
		struct directory_entry *more = realloc(l->all, room * sizeof(*more));

		if (!more)
			return err_set(ERR_NOMEM, "no memory for a list of people");
		l->all = more;
		l->room = room;
	}
	entry_fill(l->people, p, &l->all[l->n++]);
	return 0;
}

static int by_name(const void *a, const void *b)
{
	return strcmp(((const struct directory_entry *)a)->name,
		      ((const struct directory_entry *)b)->name);
}

static int list_make(struct people_source *s, struct people *people)
{
	struct listing l = {.people = people};
	int rc = directory_list(s->directory, LIST_MAX, entry_add, &l);

	if (rc) {
		free(l.all);
		return rc;
	}
	if (l.n)
		qsort(l.all, l.n, sizeof(*l.all), by_name);
	free(s->list);
	s->list = l.all;
	s->n_list = l.n;
	return 0;
}

/* Under the lock. */
static int list_page(struct people_source *s, struct cred_worker *w, const struct list_query *q,
		     struct directory_entry *out, size_t *n)
{
	size_t from = 0;
	int rc = *q->after ? 0 : list_make(s, w->people);

	if (rc)
		return rc;
	while (*q->after && from < s->n_list && strcmp(s->list[from].name, q->after) <= 0)
		from++;
	for (*n = 0; *n < PAGE && from < s->n_list; from++)
		out[(*n)++] = s->list[from];
	if (!*n) { /* the last page was given: a list of people is kept no longer than needed */
		free(s->list);
		s->list = NULL;
		s->n_list = 0;
	}
	return 0;
}

static int person_ask(struct people_source *s, struct cred_worker *w, const struct user_name *q,
		      struct directory_entry *out)
{
	struct directory_answer a;
	int rc = directory_find(s->directory, q->name, clock_mono_us() + FIND_US, &a);

	if (rc)
		return rc;
	switch (a.verdict) {
	case DIRECTORY_UNDECIDED:
		return err_set(ERR_UNAVAILABLE, "%s", a.note);
	case DIRECTORY_UNKNOWN:
		return err_set(ERR_NOT_FOUND, "the directory has nobody of that name");
	case DIRECTORY_AMBIGUOUS:
		return err_set(ERR_CONFLICT, "the directory has several entries of that name");
	default:
		entry_fill(w->people, &a.person, out);
		if (a.verdict == DIRECTORY_NO_ROLE)
			snprintf(out->state, sizeof(out->state), "no-role");
		return 0;
	}
}

static size_t servers_tell(struct people_source *s, struct directory_server *out)
{
	struct directory_health h[DIRECTORY_SERVERS_MAX];
	size_t n = directory_health(s->directory, h, DIRECTORY_SERVERS_MAX);

	for (size_t i = 0; i < n; i++) {
		out[i] = (struct directory_server){.failures = h[i].failures,
						   .retry_s = (h[i].retry_ms + 999) / 1000};
		snprintf(out[i].server, sizeof(out[i].server), "%s", h[i].server);
		snprintf(out[i].state, sizeof(out[i].state), "%s",
			 h[i].open	 ? "left-alone"
			 : h[i].failures ? "failing"
					 : "good");
		snprintf(out[i].text, sizeof(out[i].text), "%s", h[i].text);
	}
	return n;
}

static int rows_read(struct cred_worker *w, struct admin_job *j, void *rows, size_t *n)
{
	struct people_source *s = w->c->people_source;
	const void *q = ipc_request_record(j->job.rq);
	int rc;

	*n = 1;
	switch (ipc_request_verb(j->job.rq)->verb) {
	case CRED_DIRECTORY_LIST:
		/* one list at a time: the other threads are for logins */
		if (pthread_mutex_trylock(&s->lock))
			return err_set(ERR_BUSY, "somebody else reads the list just now");
		rc = list_page(s, w, q, rows, n);
		pthread_mutex_unlock(&s->lock);
		return rc;
	case CRED_DIRECTORY_FIND:
		return person_ask(s, w, q, rows);
	default:
		*n = servers_tell(s, rows);
		return 0;
	}
}

void admin_directory(struct cred_worker *w, struct admin_job *j)
{
	struct ipc_request *rq = j->job.rq;
	void *rows = calloc(PAGE, ipc_request_verb(rq)->rep->size);
	size_t n = 0;
	int rc = rows ? rows_read(w, j, rows, &n) : err_set(ERR_NOMEM, "no memory for an answer");

	LOG(rc ? LOG_WARN : LOG_INFO, ipc_request_verb(rq)->name, LOG_S("by", j->actor),
	    LOG_U("rows", rc ? 0 : n), LOG_S("outcome", rc ? err_name(rc) : "done"),
	    LOG_S("why", rc ? err_text() : ""));
	if (rc)
		ipc_request_fail(rq, rc);
	else
		ipc_request_reply(rq, rows, n);
	free(rows);
	admin_job_free(j);
}
