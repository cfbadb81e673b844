/* SPDX-License-Identifier: BSD-2-Clause */
/* Owns the packets between agent and clinicians' server. Never acts on one. */
#include "pump_agent/login/answer.h"

#include <string.h>

#include "base/secret.h"

#define SECRET LOGIN_RADSEC_SECRET, sizeof(LOGIN_RADSEC_SECRET) - 1

int login_question_build(const struct login_question *q, uint8_t id, struct radius_packet *out)
{
	uint8_t random[RADIUS_AUTHENTICATOR_BYTES];
	bool is_login = *q->name != '\0';
	int rc;

	secret_fill_random(random, sizeof(random));
	radius_begin(out, RADIUS_ACCESS_REQUEST, id);
	rc = is_login ? radius_put_str(out, RADIUS_USER_NAME, q->name)
		      : radius_put_u32(out, RADIUS_SERVICE_TYPE, LOGIN_SERVICE_CONTACT);
	if (!rc && is_login)
		rc = radius_put_password(out, random, SECRET, q->secret, q->secret_len);
	rc = rc ? rc
		: radius_put_vendor(out, LOGIN_VENDOR, LOGIN_ATTR_SAYS, q->says->data,
				    q->says->len);
	return rc ? rc : radius_sign_access_request(out, random, SECRET);
}

int login_says_build(const struct offline *o, const struct login_state *state, struct buf *out)
{
	int rc = login_item_put(out, LOGIN_KIND_STATE, &record_login_state, state);

	for (uint32_t i = 0; !rc && o && i < o->head.n_records; i++) {
		rc = login_item_put(out, LOGIN_KIND_RECORD, &record_login_record, &o->records[i]);
		if (rc == ERR_LIMIT) /* the next packet takes it */
			return 0;
	}
	return rc;
}

/* ---- reading ---- */

static int blob_join(const struct radius_view *v, struct buf *out)
{
	struct radius_attr part;
	size_t at = 0;
	int rc = 0;

	while (!rc && radius_attr_vendor_next(v, &at, LOGIN_VENDOR, LOGIN_ATTR_HEARS, &part))
		rc = buf_put(out, part.value, part.len);
	return rc;
}

static int tombstone_read(struct cursor *c, struct login_answer *a)
{
	struct login_tombstone *t = &a->tombstones[a->n_tombstones];
	int rc = a->n_tombstones == ANSWER_TOMBSTONES_MAX
			 ? err_set(ERR_INVALID, "too many tombstones")
			 : record_get(c, &record_login_tombstone, t);

	if (!rc && !*t->user)
		return err_set(ERR_INVALID, "a tombstone without a name");
	a->n_tombstones += !rc;
	return rc;
}

static int code_read(struct cursor *c, struct login_answer *a)
{
	struct login_code *k = &a->codes[a->n_codes];
	int rc = a->n_codes == BREAK_GLASS_PER_PUMP ? err_set(ERR_INVALID, "too many codes")
						    : record_get(c, &record_login_code, k);

	if (!rc && (!a->has_codes || !k->id || k->salt.len != BREAK_GLASS_SALT ||
		    k->hash.len != BREAK_GLASS_HASH || !*k->role))
		return err_set(ERR_INVALID, "a code is out of its bounds");
	a->n_codes += !rc;
	return rc;
}

/* An item that may be there once. */
static int once(bool *has, struct cursor *c, const struct record_desc *d, void *out)
{
	if (*has)
		return err_set(ERR_INVALID, "%s is there twice", d->name);
	*has = true;
	return record_get(c, d, out);
}

static int item_read(uint8_t kind, struct cursor *c, struct login_answer *a)
{
	struct login_codes codes;

	switch (kind) {
	case LOGIN_KIND_TOMBSTONE:
		return tombstone_read(c, a);
	case LOGIN_KIND_TERMS:
		return once(&a->has_terms, c, &record_login_terms, &a->terms);
	case LOGIN_KIND_GRANT:
		return once(&a->has_grant, c, &record_login_grant, &a->grant);
	case LOGIN_KIND_REFUSAL:
		return once(&a->has_refusal, c, &record_login_refusal, &a->refusal);
	case LOGIN_KIND_KEEPING:
		return once(&a->has_keeping, c, &record_login_keeping, &a->keeping);
	case LOGIN_KIND_CODES:
		return once(&a->has_codes, c, &record_login_codes, &codes);
	case LOGIN_KIND_CODE:
		return code_read(c, a);
	default:
		return 0;
	}
}

static int items_read(const struct buf *blob, struct login_answer *a)
{
	struct cursor c = cursor_of(blob->data, blob->len);
	struct cursor item;
	uint8_t kind;
	int more;

	while ((more = login_item_next(&c, &kind, &item)) == 1) {
		int rc = item_read(kind, &item, a);

		if (rc)
			return rc;
	}
	return more;
}

/* A grant with a refusal, or an Accept that lets nobody in by name, is none. */
static int answer_check(const struct login_answer *a, bool wants_grant)
{
	if (!a->has_terms && (a->is_accept || a->n_tombstones || a->has_codes))
		return err_set(ERR_INVALID, "the answer has no terms");
	if (a->is_accept != (wants_grant ? a->has_grant : a->is_accept) ||
	    a->is_accept == a->has_refusal)
		return err_set(ERR_INVALID, "the answer contradicts itself");
	if (a->has_keeping && !a->has_grant)
		return err_set(ERR_INVALID, "the answer says what to keep of nobody");
	if (a->has_grant && (!a->is_accept || !*a->grant.user || !*a->grant.role))
		return err_set(ERR_INVALID, "the answer names nobody, or no role");
	return 0;
}

int login_answer_parse(const void *data, size_t len, const struct radius_packet *request,
		       bool wants_grant, struct login_answer *out)
{
	AUTO_BUF blob = {.max = LOGIN_BLOB_MAX};
	struct radius_view v;
	int rc = radius_view_parse(data, len, &v);

	memset(out, 0, sizeof(*out));
	if (!rc && (v.id != request->data[1] ||
		    (v.code != RADIUS_ACCESS_ACCEPT && v.code != RADIUS_ACCESS_REJECT)))
		rc = err_set(ERR_INVALID, "no answer to a login (code %d)", v.code);
	rc = rc ? rc : radius_verify_reply(&v, request->data + 4, SECRET, true);
	if (rc)
		return rc;
	out->is_accept = v.code == RADIUS_ACCESS_ACCEPT;
	rc = blob_join(&v, &blob);
	rc = rc ? rc : items_read(&blob, out);
	return rc ? rc : answer_check(out, wants_grant);
}
