/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Owns the course of a login and which server is asked. Once a password may have reached a server,
 * no other is asked: a directory counts wrong tries, and one try must count once.
 */
#include "sql/directory/directory_state.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "sql/directory/account_state.h"

static int64_t sooner(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

static void note_add(char note[DIRECTORY_TEXT_SIZE], const char *server, const char *text)
{
	size_t used = strlen(note);

	snprintf(note + used, DIRECTORY_TEXT_SIZE - used, "%s%s: %s", used ? "; " : "", server,
		 text);
}

static bool server_admit(struct directory *d, struct server *server)
{
	bool may;

	pthread_mutex_lock(&d->lock);
	may = breaker_admit(&server->breaker, clock_mono_us());
	pthread_mutex_unlock(&d->lock);
	return may;
}

static void server_report(struct directory *d, struct server *server, int rc)
{
	/* it answered; one person's odd entry must not make it look dead to all */
	bool answered = !rc || rc == ERR_INVALID || rc == ERR_LIMIT || rc == ERR_NOT_FOUND;

	pthread_mutex_lock(&d->lock);
	if (answered)
		breaker_good(&server->breaker);
	else if (rc == ERR_DENIED) /* tried again and again, the account would be locked out */
		breaker_trip(&server->breaker, clock_mono_us());
	else
		breaker_bad(&server->breaker, clock_mono_us());
	if (rc)
		snprintf(server->text, sizeof(server->text), "%s", err_text());
	pthread_mutex_unlock(&d->lock);
}

int servers_try(struct directory *d, int64_t until_us, server_try *try, void *user,
		const char **server_out, char note[DIRECTORY_TEXT_SIZE])
{
	int rc = err_set(ERR_UNAVAILABLE, "every server is being left alone after failures");
	bool final = false;

	for (size_t i = 0; i < d->s.n_servers && !final; i++) {
		struct server *server = &d->servers[i];

		if (clock_mono_us() >= until_us) {
			rc = err_set(ERR_TIMEOUT, "no time left for %s", server->address->url);
			break;
		}
		if (!server_admit(d, server)) {
			note_add(note, server->address->url, "left alone after failures");
			continue;
		}
		rc = try(d, server, until_us, &final, user);
		server_report(d, server, rc);
		if (!rc) {
			*server_out = server->address->url;
			return 0;
		}
		note_add(note, server->address->url, err_text());
	}
	return rc;
}

struct login {
	const char *user;
	const void *password; /* NULL: none is checked */
	size_t password_len;
	struct directory_answer *answer;
};

/* What the server made of the password. RFC 4511 4.2.2. */
static enum directory_verdict outcome_judge(const struct bind_outcome *o)
{
	switch (o->policy_error) {
	case PP_passwordExpired:
		return DIRECTORY_EXPIRED;
	case PP_accountLocked:
		return DIRECTORY_LOCKED;
	case PP_changeAfterReset:
		return DIRECTORY_MUST_CHANGE;
	default:
		break;
	}
	switch (o->code) {
	case LDAP_SUCCESS:
		return DIRECTORY_GOOD;
	case LDAP_INVALID_CREDENTIALS:
		return bind_refusal_of(o->diagnostic);
	case LDAP_BUSY:
	case LDAP_UNAVAILABLE:
		return DIRECTORY_UNDECIDED;
	default: /* unwilling, no such entry, inappropriate authentication: in any case no */
		return DIRECTORY_WRONG_PASSWORD;
	}
}

/* Binds as the person on a connection of its own and asks whom the server takes us for. */
static int password_prove(struct directory *d, struct server *server, int64_t until_us, bool *final,
			  struct login *l, const char *dn, enum directory_verdict *verdict)
{
	int64_t connect_us = clock_mono_us() + d->s.connect_ms * 1000LL;
	struct bind_outcome outcome;
	char who[DIRECTORY_DN_SIZE + 8];
	AUTO_CONN c = NULL;
	int rc = conn_open(&d->s, server->address, d->watch, sooner(connect_us, until_us), &c);

	if (rc)
		return rc;
	conn_limit(c, until_us);
	rc = conn_bind(c, dn, l->password, l->password_len, final, &outcome);
	if (rc)
		return rc;
	*verdict = outcome_judge(&outcome);
	if (outcome.diagnostic[0])
		note_add(l->answer->note, "bind", outcome.diagnostic);
	if (*verdict == DIRECTORY_UNDECIDED)
		return err_set(ERR_UNAVAILABLE, "bind: %s", ldap_err2string(outcome.code));
	if (*verdict != DIRECTORY_GOOD)
		return 0;
	rc = conn_whoami(c, who, sizeof(who));
	if (rc)
		return rc;
	if (!authzid_is(who, dn, l->answer->person.account)) {
		*verdict = DIRECTORY_NOT_PROVEN;
		note_add(l->answer->note, "whoami", who[0] ? who : "nobody");
	}
	return 0;
}

/* A bind that can only fail, so that an unknown name costs what a known one does. */
static int password_waste(struct directory *d, struct server *server, int64_t until_us, bool *final,
			  struct login *l)
{
	char dn[DIRECTORY_DN_SIZE + 32];
	enum directory_verdict verdict;

	snprintf(dn, sizeof(dn), "cn=nobody-of-pumpgate,%s", d->s.user_base);
	return password_prove(d, server, until_us, final, l, dn, &verdict);
}

static int person_judge(struct directory *d, struct server *server, struct conn *c,
			int64_t until_us, bool *final, struct login *l)
{
	enum directory_verdict verdict;
	struct directory_answer *a = l->answer;
	int rc = person_find(&d->s, c, l->user, &verdict, &a->person);

	if (rc)
		return rc;
	if (verdict != DIRECTORY_GOOD) {
		if (l->password)
			rc = password_waste(d, server, until_us, final, l);
		if (!rc)
			a->verdict = verdict;
		return rc;
	}
	if (l->password)
		rc = password_prove(d, server, until_us, final, l, a->person.dn, &verdict);
	if (!rc && verdict == DIRECTORY_GOOD)
		verdict = a->person.state;
	if (!rc && verdict == DIRECTORY_GOOD) {
		rc = groups_to_roles(&d->s, c, &a->person);
		if (!rc && !a->person.n_roles)
			verdict = DIRECTORY_NO_ROLE;
	}
	if (!rc)
		a->verdict = verdict;
	return rc;
}

static int login_try(struct directory *d, struct server *server, int64_t until_us, bool *final,
		     void *user)
{
	struct login *l = user;
	int rc = ERR_UNAVAILABLE;

	/* a resting connection may have died unseen: once more on a fresh one, if nothing was sent
	 */
	for (int fresh = 0; fresh < 2 && rc == ERR_UNAVAILABLE && !*final; fresh++) {
		struct conn *c;

		rc = service_take(d, server, fresh, until_us, &c);
		if (rc)
			break;
		rc = person_judge(d, server, c, until_us, final, l);
		if (rc)
			conn_close(c);
		else
			service_give(d, server, c);
	}
	return rc;
}

static int login_run(struct directory *d, struct login *l, int64_t deadline_us)
{
	struct directory_answer *a = l->answer;
	int64_t until_us = sooner(deadline_us, clock_mono_us() + d->s.login_ms * 1000LL);
	const char *server = "";
	int rc;

	if (!l->user[0] || strlen(l->user) >= DIRECTORY_NAME_SIZE || !ldap_text_is_clean(l->user))
		return err_set(ERR_INVALID, "no name that a directory could know");
	if (l->password && (!l->password_len || l->password_len > DIRECTORY_PASSWORD_MAX ||
			    memchr(l->password, 0, l->password_len))) {
		a->verdict = DIRECTORY_WRONG_PASSWORD;
		snprintf(a->note, sizeof(a->note),
			 "empty, too long or with a NUL: no server asked");
		return 0;
	}
	rc = servers_try(d, until_us, login_try, l, &server, a->note);
	if (rc == ERR_NOMEM)
		return rc;
	if (rc) /* whatever was found out on the way: nobody has decided */
		a->verdict = DIRECTORY_UNDECIDED;
	snprintf(a->server, sizeof(a->server), "%s", server);
	if (rc && !a->note[0])
		snprintf(a->note, sizeof(a->note), "%s", err_text());
	return 0;
}

int directory_login(struct directory *d, const char *user, const void *password,
		    size_t password_len, int64_t deadline_us, struct directory_answer *out)
{
	struct login l = {.user = user,
			  .password = password ? password : "",
			  .password_len = password ? password_len : 0,
			  .answer = out};

	memset(out, 0, sizeof(*out));
	return login_run(d, &l, deadline_us);
}

int directory_find(struct directory *d, const char *user, int64_t deadline_us,
		   struct directory_answer *out)
{
	struct login l = {.user = user, .answer = out};

	memset(out, 0, sizeof(*out));
	return login_run(d, &l, deadline_us);
}
