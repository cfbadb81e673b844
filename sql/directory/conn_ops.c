/* SPDX-License-Identifier: BSD-2-Clause */
/* Owns what is asked on a connection: bind, whoami, search. Never connects. */
#include "sql/directory/conn_state.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"

static void message_auto_free(LDAPMessage **m)
{
	if (*m)
		ldap_msgfree(*m);
}
#define AUTO_MESSAGE __attribute__((cleanup(message_auto_free))) LDAPMessage *

int conn_sent(struct conn *c, int code)
{
	if (code == LDAP_SUCCESS)
		return 0;
	if (clock_mono_us() >= c->until_us)
		return err_set(ERR_TIMEOUT, "no time left");
	return err_set(ERR_UNAVAILABLE, "%s", ldap_err2string(code));
}

int conn_answer(struct conn *c, int id, int all, LDAPMessage **out)
{
	int64_t left = c->until_us - clock_mono_us(), most = c->answer_ms * 1000LL;
	struct timeval wait;
	int kind;

	if (left <= 0)
		return err_set(ERR_TIMEOUT, "no time left");
	if (left > most)
		left = most;
	wait = (struct timeval){.tv_sec = left / 1000000, .tv_usec = left % 1000000};
	/* a server that sends half a message makes this block; then the watch ends it */
	watch_move(c->watch, c->slot, clock_mono_us() + left);
	kind = ldap_result(c->ld, id, all, &wait, out);
	watch_move(c->watch, c->slot, c->until_us);
	if (kind > 0)
		return 0;
	if (kind == 0 || clock_mono_us() >= c->until_us)
		return err_set(ERR_TIMEOUT, "no answer within %lld ms", (long long)left / 1000);
	return err_set(ERR_UNAVAILABLE, "the connection broke");
}

static void bind_outcome_read(struct conn *c, LDAPMessage *answer, struct bind_outcome *out)
{
	LDAPControl **controls = NULL, *policy;
	LDAPPasswordPolicyError error;
	char *text = NULL;

	*out = (struct bind_outcome){.code = LDAP_PROTOCOL_ERROR, .policy_error = PP_noError};
	if (ldap_parse_result(c->ld, answer, &out->code, NULL, &text, NULL, &controls, 0))
		out->code = LDAP_PROTOCOL_ERROR;
	if (text)
		snprintf(out->diagnostic, sizeof(out->diagnostic), "%s", text);
	policy = ldap_control_find(LDAP_CONTROL_PASSWORDPOLICYRESPONSE, controls, NULL);
	if (policy && !ldap_parse_passwordpolicy_control(c->ld, policy, NULL, NULL, &error))
		out->policy_error = (int)error;
	ldap_controls_free(controls);
	ldap_memfree(text);
}

int conn_bind(struct conn *c, const char *dn, const void *password, size_t len, bool *sent_out,
	      struct bind_outcome *out)
{
	struct berval secret = {.bv_len = len, .bv_val = (char *)(uintptr_t)password};
	LDAPControl ask = {.ldctl_oid = (char *)(uintptr_t)LDAP_CONTROL_PASSWORDPOLICYREQUEST};
	LDAPControl *asks[] = {&ask, NULL};
	AUTO_MESSAGE answer = NULL;
	int id, rc;

	/* RFC 4513 5.1.2: without a name or a password it would be the bind of nobody */
	if (!len || !dn[0])
		return err_set(ERR_INTERNAL, "a bind without name or password");
	if (!ldap_tls_inplace(c->ld))
		return err_set(ERR_UNAVAILABLE, "the connection broke");
	*sent_out = true;
	rc = conn_sent(c, ldap_sasl_bind(c->ld, dn, LDAP_SASL_SIMPLE, &secret, asks, NULL, &id));
	if (!rc)
		rc = conn_answer(c, id, LDAP_MSG_ALL, &answer);
	if (!rc)
		bind_outcome_read(c, answer, out);
	return rc;
}

int conn_whoami(struct conn *c, char *out, size_t size)
{
	struct berval *who = NULL;
	AUTO_MESSAGE answer = NULL;
	int id, code = LDAP_OTHER;
	int rc = conn_sent(c, ldap_whoami(c->ld, NULL, NULL, &id));

	if (!rc)
		rc = conn_answer(c, id, LDAP_MSG_ALL, &answer);
	if (rc)
		return rc;
	if (ldap_parse_result(c->ld, answer, &code, NULL, NULL, NULL, NULL, 0) ||
	    code != LDAP_SUCCESS)
		return err_set(ERR_INVALID, "whoami: %s", ldap_err2string(code));
	if (ldap_parse_whoami(c->ld, answer, &who))
		return err_set(ERR_INVALID, "whoami: the answer can't be read");
	out[0] = '\0';
	if (who && who->bv_len && memchr(who->bv_val, 0, who->bv_len))
		rc = err_set(ERR_INVALID, "whoami: a NUL in the answer");
	else if (who && who->bv_len >= size)
		rc = err_set(ERR_LIMIT, "whoami: the answer is too long");
	else if (who && who->bv_len) {
		memcpy(out, who->bv_val, who->bv_len);
		out[who->bv_len] = '\0';
	}
	ber_bvfree(who);
	return rc;
}

static int search_result(int code, const struct conn_question *q)
{
	switch (code) {
	case LDAP_SUCCESS:
	case LDAP_REFERRAL: /* of another server's part of the tree: not followed */
		return 0;
	case LDAP_NO_SUCH_OBJECT:
		if (q->scope == LDAP_SCOPE_BASE)
			return 0;
		return err_set(ERR_NOT_FOUND, "%.200s does not exist there", q->base);
	case LDAP_SIZELIMIT_EXCEEDED:
		return err_set(ERR_LIMIT, "more entries than the server gives out");
	case LDAP_INSUFFICIENT_ACCESS:
	case LDAP_INAPPROPRIATE_AUTH:
		return err_set(ERR_DENIED, "the service account may not search %.200s", q->base);
	case LDAP_TIMELIMIT_EXCEEDED:
	case LDAP_ADMINLIMIT_EXCEEDED:
		return err_set(ERR_TIMEOUT, "search: %s", ldap_err2string(code));
	case LDAP_BUSY:
	case LDAP_UNAVAILABLE:
	case LDAP_UNWILLING_TO_PERFORM:
		return err_set(ERR_UNAVAILABLE, "search: %s", ldap_err2string(code));
	default:
		return err_set(ERR_INVALID, "search: %s", ldap_err2string(code));
	}
}

/* The end of a page: `cookie` for the next one, empty when there is none. */
static int page_end(struct conn *c, LDAPMessage *m, const struct conn_question *q,
		    struct berval *cookie)
{
	LDAPControl **controls = NULL, *page;
	int code = LDAP_OTHER, rc;
	ber_int_t estimate;

	ber_memfree(cookie->bv_val);
	*cookie = (struct berval){0};
	if (ldap_parse_result(c->ld, m, &code, NULL, NULL, NULL, &controls, 0))
		code = LDAP_PROTOCOL_ERROR;
	rc = search_result(code, q);
	page = ldap_control_find(LDAP_CONTROL_PAGEDRESULTS, controls, NULL);
	if (!rc && q->page && page &&
	    ldap_parse_pageresponse_control(c->ld, page, &estimate, cookie))
		rc = err_set(ERR_INVALID, "search: the end of a page can't be read");
	ldap_controls_free(controls);
	return rc;
}

static int page_start(struct conn *c, const struct conn_question *q, struct berval *cookie, int *id)
{
	LDAPControl *page = NULL, *asks[] = {NULL, NULL};
	struct timeval time = {.tv_sec = (c->answer_ms + 999) / 1000};
	int rc;

	if (q->page && ldap_create_page_control(c->ld, (ber_int_t)q->page, cookie, 1, &page))
		return err_set(ERR_NOMEM, "no memory for a search");
	asks[0] = page;
	rc = conn_sent(c, ldap_search_ext(c->ld, q->base, q->scope, q->filter,
					  (char **)(uintptr_t)q->attributes, 0, asks, NULL, &time,
					  q->page ? 0 : (int)q->max + 1, id));
	if (page)
		ldap_control_free(page);
	return rc;
}

static int page_read(struct conn *c, const struct conn_question *q, int id, size_t *n,
		     struct berval *cookie, conn_entry *each, void *user)
{
	for (;;) {
		AUTO_MESSAGE m = NULL;
		int rc = conn_answer(c, id, LDAP_MSG_ONE, &m);

		if (!rc && ldap_msgtype(m) == LDAP_RES_SEARCH_RESULT)
			return page_end(c, m, q, cookie);
		if (!rc && ldap_msgtype(m) == LDAP_RES_SEARCH_ENTRY)
			rc = (*n)++ < q->max ? each(user, c->ld, m)
					     : err_set(ERR_LIMIT, "more than %zu entries", q->max);
		if (rc) {
			ldap_abandon_ext(c->ld, id, NULL, NULL);
			return rc;
		}
	}
}

int conn_search(struct conn *c, const struct conn_question *q, conn_entry *each, void *user)
{
	struct berval cookie = {0};
	size_t n = 0;
	int id, rc;

	do {
		rc = page_start(c, q, &cookie, &id);
		if (!rc)
			rc = page_read(c, q, id, &n, &cookie, each, user);
	} while (!rc && cookie.bv_len);
	ber_memfree(cookie.bv_val);
	return rc;
}
