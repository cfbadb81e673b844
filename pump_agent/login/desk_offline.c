/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Owns logins by what the pump keeps of people. Never looks at a PIN or password whose try is not
 * on disk, never keeps a password but under a TPM's key and with the server's word.
 */
#include "pump_agent/login/desk_offline.h"

#include <string.h>

#include "base/log.h"
#include "base/secret.h"
#include "sql/wire/login_text.h"

/* What was typed, in the form that is compared. */
struct typed {
	struct offline_key key; /* its name points to `name` */
	char name[LOGIN_USER_SIZE];
	char password[LOGIN_PASSWORD_MAX + 1]; /* of a badge: "", the PIN stays where it is */
};

static void typed_wipe(struct typed *t)
{
	secret_wipe(t, sizeof(*t));
}
#define AUTO_TYPED __attribute__((cleanup(typed_wipe))) struct typed

static int typed_name(const struct pumplink_request *rq, struct typed *t)
{
	*t = (struct typed){.key.is_password = rq->kind == PUMPLINK_LOGIN_PASSWORD};
	t->key.name = t->name;
	return t->key.is_password
		       ? login_name_prepare((const uint8_t *)rq->name, strlen(rq->name), t->name)
		       : str_copy(t->name, sizeof(t->name), rq->name);
}

static int typed_all(const struct pumplink_request *rq, struct typed *t)
{
	int rc = typed_name(rq, t);

	if (!rc && t->key.is_password)
		rc = login_password_prepare((const uint8_t *)rq->secret, rq->secret_len,
					    t->password);
	return rc;
}

int desk_keep(struct desk *d, enum vault_weight weight)
{
	int rc = vault_keep_as(d->vault, weight);

	if (rc)
		LOG(LOG_ERROR, "login.not_kept", LOG_S("why", err_text()));
	return rc;
}

void desk_outcome(struct pumplink_answer *out, enum pumplink_result result, uint32_t wait_s)
{
	*out = (struct pumplink_answer){.result = result, .wait_s = wait_s};
}

void desk_person_put(struct pumplink_answer *out, const char *display, const char *user)
{
	const char *name = *display ? display : user;

	memcpy(out->person, name, strnlen(name, sizeof(out->person) - 1));
}

bool desk_can_decide(const struct desk *d, const struct pumplink_request *rq)
{
	AUTO_TYPED t;

	if (rq->kind != PUMPLINK_LOGIN_PASSWORD)
		return true; /* or nobody could at all */
	return d->vault && d->vault->chip && !typed_name(rq, &t) &&
	       offline_find(&d->vault->offline, &t.key);
}

/* ---- verifiers ---- */

/* Of a password: what the TPM makes of it. Nothing else is worth keeping. */
static int password_mac(struct vault *v, const struct typed *t, const char *user, uint64_t epoch,
			uint8_t mac[PIN_BOUND_BYTES])
{
	const struct pin_subject who = {v->offline.head.pump, user, t->name, epoch};
	uint8_t bound[PIN_BOUND_BYTES];
	int rc;

	pin_bind(v->key, "pumpgate password 1", &who, t->password, strlen(t->password), bound);
	rc = vault_tpm_mac(v, bound, mac);
	secret_wipe(bound, sizeof(bound));
	return rc;
}

static int pin_of(const struct vault *v, const struct pumplink_request *rq, const char *user,
		  uint64_t epoch, const uint8_t salt[PIN_SALT_BYTES], uint8_t out[PIN_HASH_BYTES])
{
	const struct pin_subject who = {v->offline.head.pump, user, rq->name, epoch};

	return pin_hash(v->key, &who, rq->secret, rq->secret_len, salt, out);
}

/* ---- without the server ---- */

/* Counts the try, on disk, and only then compares. `mac`: of a password. */
static enum offline_verdict try_judge(struct desk *d, const struct pumplink_request *rq,
				      const struct typed *t, const uint8_t mac[PIN_BOUND_BYTES],
				      struct offline_person *p)
{
	struct offline *o = &d->vault->offline;
	uint8_t hash[PIN_HASH_BYTES];
	struct age_now now = desk_now();
	enum offline_verdict v = offline_try(o, &now, &t->key, p);
	int rc;

	/* kept, whatever it was: a try, or a clock that was found set back */
	if (desk_keep(d, VAULT_LIGHT) || v != OFFLINE_OK)
		return v == OFFLINE_OK ? OFFLINE_FULL : v;
	rc = t->key.is_password ? pin_stretch(mac, p->salt.data, hash)
				: pin_of(d->vault, rq, p->user, p->epoch, p->salt.data, hash);
	if (rc)
		return OFFLINE_FULL;
	now = desk_now();
	v = offline_judge(o, &now, &t->key, hash);
	secret_wipe(hash, sizeof(hash));
	return desk_keep(d, VAULT_HEAVY) ? OFFLINE_FULL : v;
}

/* A TPM that is away costs no try: it is asked before. */
static enum offline_verdict person_judge(struct desk *d, const struct pumplink_request *rq,
					 struct offline_person *p)
{
	uint8_t mac[PIN_BOUND_BYTES] = {0};
	const struct offline_person *found;
	enum offline_verdict v;
	AUTO_TYPED t;

	if (typed_all(rq, &t))
		return OFFLINE_UNKNOWN;
	found = offline_find(&d->vault->offline, &t.key);
	if (found && t.key.is_password &&
	    password_mac(d->vault, &t, found->user, found->epoch, mac)) {
		LOG(LOG_WARN, "login.no_tpm", LOG_S("why", err_text()));
		return OFFLINE_NO_TPM;
	}
	v = try_judge(d, rq, &t, mac, p);
	secret_wipe(mac, sizeof(mac));
	return v;
}

void desk_by_person(struct desk *d, const struct pumplink_request *rq, struct pumplink_answer *out,
		    struct desk_entry *entry)
{
	struct offline_person p = {0};
	enum offline_verdict v;

	if (!d->vault || d->is_behind || d->is_refused) {
		desk_outcome(out, PUMPLINK_UNAVAILABLE, 0);
		return;
	}
	v = person_judge(d, rq, &p);
	LOG(LOG_INFO, v == OFFLINE_OK ? "login.offline" : "login.refused", LOG_S("by", "pump"),
	    LOG_S("why", offline_verdict_name(v)), LOG_S("user", p.user));
	if (v == OFFLINE_OK) {
		desk_outcome(out, PUMPLINK_OK, 0);
		desk_person_put(out, p.display, p.user);
		memcpy(out->role, p.role, strnlen(p.role, sizeof(out->role) - 1));
		out->session_s = p.session_s;
		out->idle_s = p.idle_s;
		out->is_offline = true;
		memcpy(entry->user, p.user, sizeof(entry->user));
	} else {
		desk_outcome(out, v == OFFLINE_WRONG ? PUMPLINK_REFUSED : PUMPLINK_UNAVAILABLE, 0);
	}
	secret_wipe(&p, sizeof(p));
}

/* ---- what is kept for that ---- */

static int pin_remember(struct desk *d, const struct pumplink_request *rq, const struct typed *t,
			const struct desk_entry *entry)
{
	struct offline *o = &d->vault->offline;
	struct offline_verifier v = {0};
	int rc = 0;

	secret_fill_random(v.salt, sizeof(v.salt));
	if (entry->grant.offline)
		rc = pin_of(d->vault, rq, entry->user, o->head.epoch, v.salt, v.hash);
	if (!rc)
		offline_grant(o, &t->key, &entry->grant, &v);
	secret_wipe(&v, sizeof(v));
	return rc ? rc : desk_keep(d, VAULT_LIGHT);
}

static int password_verifier(struct desk *d, const struct typed *t, const struct desk_entry *entry,
			     struct offline_verifier *v)
{
	uint8_t mac[PIN_BOUND_BYTES];
	int rc = vault_tpm_key_have(d->vault);

	rc = rc ? rc : password_mac(d->vault, t, entry->user, d->vault->offline.head.epoch, mac);
	secret_fill_random(v->salt, sizeof(v->salt));
	rc = rc ? rc : pin_stretch(mac, v->salt, v->hash);
	v->is_of_tpm = !rc;
	secret_wipe(mac, sizeof(mac));
	return rc;
}

/* Without the server's word or a TPM what there was of this name goes: it may be an old password.
 */
static int password_remember(struct desk *d, const struct typed *t, const struct desk_entry *entry)
{
	struct offline *o = &d->vault->offline;
	bool is_wanted = entry->keep_password && entry->grant.offline && d->vault->chip;
	struct offline_verifier v = {0};
	uint32_t had = o->head.n_people;
	int rc = is_wanted ? password_verifier(d, t, entry, &v) : 0;

	if (rc)
		LOG(LOG_WARN, "login.no_tpm", LOG_S("why", err_text()));
	offline_grant(o, &t->key, &entry->grant, v.is_of_tpm ? &v : NULL);
	secret_wipe(&v, sizeof(v));
	if (!is_wanted && o->head.n_people == had)
		return 0;
	return desk_keep(d, VAULT_LIGHT);
}

int desk_remember(struct desk *d, const struct pumplink_request *rq, const struct desk_entry *entry)
{
	AUTO_TYPED t;

	if (!entry->has_terms || !d->vault || typed_all(rq, &t))
		return 0;
	return t.key.is_password ? password_remember(d, &t, entry) : pin_remember(d, rq, &t, entry);
}
