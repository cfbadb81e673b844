/* SPDX-License-Identifier: BSD-2-Clause */
/* Owns the order of an issuance. Never signs without a grant of the registry. */
#include "ca/signerd/issuance.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/secret.h"
#include "ca/ca_number.h"
#include "ca/csr.h"
#include "ca/refuse.h"
#include "ca/signerd/grounds.h"
#include "ca/signerd/idevid_grounds.h"
#include "sql/client/registry_client.h"

#define CAP_SAID_EVERY_MS 60000
#define BACKDATE_MS INT64_C(300000) /* a pump's clock may be a little late */

/* *news_out is set when the registry did not know this CA before. */
static int introduce_one(struct issuance *is, const struct ca_issuer *ca, bool *news_out)
{
	AUTO_BUF der = {.max = CERT_DER_MAX};
	struct issuer us = {0};
	int rc;

	if ((rc = str_copy(us.issuer, sizeof(us.issuer), ca->name)) ||
	    (rc = ossl_cert_put(&der, ca->cert)))
		return rc;
	memcpy(us.der.data, der.data, der.len);
	us.der.len = (uint32_t)der.len;
	rc = registry_issuer_set(is->registry, &us, REGISTRY_WAIT_MS);
	if (rc && rc != ERR_UNCHANGED)
		return rc;
	*news_out = *news_out || rc == 0;
	return 0;
}

/* The old one first: the registry takes the one that it came to know last for the one in use. */
static int introduce(struct issuance *is, const struct issuer_set *set, bool *news_out)
{
	int rc;

	*news_out = false;
	rc = issuer_set_has_old(set) ? introduce_one(is, &set->old, news_out) : 0;
	if (!rc)
		rc = introduce_one(is, &set->current, news_out);
	if (!rc)
		is->introduced = set->generation;
	return rc;
}

int issuance_introduce(struct issuance *is)
{
	AUTO_ISSUERS set = issuers_get(is->signer->issuers);
	bool news = false;

	return is->introduced == set->generation ? 0 : introduce(is, set, &news);
}

/* The reason that a code of the registry stands for. */
static enum reason reason_of(int rc, bool by_token)
{
	switch (rc) {
	case ERR_DENIED:
		return by_token ? REASON_TOKEN_WRONG : REASON_RENEWAL_UNPROVEN;
	case ERR_USED:
		return by_token ? REASON_TOKEN_USED : REASON_RETURN_USED;
	case ERR_EXPIRED:
		return by_token ? REASON_TOKEN_EXPIRED : REASON_CERTIFICATE_EXPIRED;
	case ERR_CONFLICT:
		return REASON_PUMP_REVOKED;
	case ERR_NOT_FOUND:
		return REASON_UNKNOWN_PUMP;
	case ERR_INVALID:
		return REASON_REQUEST_MALFORMED;
	case ERR_LIMIT:
		return by_token ? REASON_REGISTRY_AWAY : REASON_RENEWAL_UNPROVEN;
	default:
		return REASON_REGISTRY_AWAY;
	}
}

/* Puts a reason in front of the registry's text, unless it gave one itself. */
static int registry_failed(struct issuance *is, int rc, bool by_token)
{
	const char *text = err_text();
	const char *colon = strstr(text, ": ");
	char word[REASON_SIZE];

	if (rc == ERR_UNAVAILABLE || rc == ERR_TIMEOUT)
		is->introduced = 0; /* it may come back with another database */
	if (colon && (size_t)(colon - text) < sizeof(word)) {
		memcpy(word, text, (size_t)(colon - text));
		word[colon - text] = '\0';
		if (reason_parse(word) != REASON_NONE)
			return rc;
	}
	return err_add(rc, "%s", reason_name(reason_of(rc, by_token)));
}

static int own_failed(int rc)
{
	return err_add(rc, "%s", reason_name(REASON_SIGNER_AWAY));
}

/* Whoever holds a CA's key has no need to enrol: something is very wrong. */
static int ca_keys_check(const struct issuer_set *set, const struct ca_csr *csr)
{
	for (size_t i = 0; i < set->n_ca_keys; i++)
		if (!memcmp(set->ca_spki_sha256[i], csr->spki_sha256, sizeof(csr->spki_sha256)))
			return ca_refuse(REASON_KEY_REFUSED, ERR_CRYPTO,
					 "the key is one of our CAs' own: that key is out, replace "
					 "the CA");
	return 0;
}

/* Says it once a minute: it may be a wave that an admin forgot to announce, or somebody who mints.
 */
static void cap_reached(struct signer *s)
{
	int64_t now_ms = clock_wall_ms();

	s->capped++;
	if (now_ms - s->capped_said_ms >= CAP_SAID_EVERY_MS) {
		s->capped_said_ms = now_ms;
		LOG(LOG_ERROR, "signer.cap_reached", LOG_U("per_minute", s->minute.n),
		    LOG_U("per_hour", s->hour.n), LOG_U("refused", s->capped));
	}
	s->capped_at_ms = now_ms;
}

/* Looks, or takes one from both. Only what is signed counts, not what is asked. */
static int rate_check(struct signer *s, bool take)
{
	int64_t now_us = clock_mono_us();
	bool ok;

	pthread_mutex_lock(&s->rate_lock);
	ok = rate_ready(&s->minute, now_us) && rate_ready(&s->hour, now_us);
	if (ok && take)
		ok = rate_take(&s->minute, now_us) && rate_take(&s->hour, now_us);
	if (!ok)
		cap_reached(s);
	pthread_mutex_unlock(&s->rate_lock);
	return ok ? 0
		  : ca_refuse(REASON_SIGNER_AWAY, ERR_LIMIT,
			      "more than %u certificates a minute or %u an hour ([ca] "
			      "issue_per_minute, issue_per_hour)",
			      s->minute.n, s->hour.n);
}

static int answer(X509 *cert, const char *device, struct signed_cert *out)
{
	AUTO_BUF der = {.max = sizeof(out->der.data)};
	struct signed_cert a = {0};
	int rc;

	if ((rc = str_copy(a.device, sizeof(a.device), device)) ||
	    (rc = ossl_serial_hex(cert, a.cert_serial, sizeof(a.cert_serial))) ||
	    (rc = ossl_time_ms(X509_get0_notAfter(cert), &a.not_after)) ||
	    (rc = ossl_cert_put(&der, cert)))
		return own_failed(rc);
	memcpy(a.der.data, der.data, der.len);
	a.der.len = (uint32_t)der.len;
	*out = a;
	return 0;
}

/* A certificate that was made before for this request: ours, and for the key that asks now? */
static int earlier_check(const struct issuer_set *set, const struct ca_csr *csr, const uint8_t *der,
			 size_t len, X509 **out)
{
	const struct ca_issuer *issuer;
	AUTO_X509 cert = NULL;
	uint8_t spki[32];
	int rc;

	if ((rc = ossl_cert_parse_plain(der, len, &cert)) ||
	    (rc = ossl_spki_sha256(X509_get_X509_PUBKEY(cert), spki)) ||
	    (rc = issuer_set_find(set, cert, &issuer)))
		return own_failed(err_add(ERR_CORRUPT, "an earlier certificate: code %d", rc));
	if (memcmp(spki, csr->spki_sha256, sizeof(spki)))
		return own_failed(
			err_set(ERR_CORRUPT, "an earlier certificate is for another key"));
	*out = OSSL_TAKE(cert);
	return 0;
}

static int serial_parse(const char *hex, uint8_t out[CA_SERIAL_BYTES])
{
	size_t len;

	if (hex_decode(hex, CA_SERIAL_BYTES, out, &len) || len != CA_SERIAL_BYTES || out[0] == 0 ||
	    out[0] > 0x7f)
		return err_set(ERR_CORRUPT, "the registry granted \"%.47s\", which is no serial",
			       hex);
	return 0;
}

static int sign_fresh(const struct issuance *is, const struct ca_csr *csr,
		      const struct issue_grant *g, X509 **out)
{
	const struct ca_issuer *issuer = &is->set->current;
	const struct signer *s = is->signer;
	char crl_url[CA_CRL_URL_SIZE];
	struct ca_terms t = {.kind = CA_KIND_DEVICE_LEAF,
			     .common_name = g->device,
			     .crl_url = crl_url,
			     .ocsp_url = s->ocsp_url};
	int64_t now_ms = clock_wall_ms();
	int rc;

	t.not_before_ms = now_ms - BACKDATE_MS;
	if (t.not_before_ms < issuer->not_before_ms)
		t.not_before_ms = issuer->not_before_ms;
	if ((rc = serial_parse(g->cert_serial, t.serial)) ||
	    (rc = ca_crl_url(s->crl_url ? s->crl_url : "", is->set->current_ca, crl_url)) ||
	    (rc = ca_issuer_not_after(issuer, now_ms, s->device_validity_ms, &t.not_after_ms)))
		return rc;
	return ca_issue(issuer, &t, X509_REQ_get_X509_PUBKEY(csr->req), out);
}

static int log_fresh(struct signer *s, const struct ca_csr *csr, const struct issue_grant *g,
		     X509 *cert)
{
	struct issued_entry e = {.at_ms = clock_wall_ms()};
	AUTO_BUF der = {.max = CERT_DER_MAX};
	int rc;

	if ((rc = str_copy(e.serial, sizeof(e.serial), g->cert_serial)) ||
	    (rc = str_copy(e.device, sizeof(e.device), g->device)) ||
	    (rc = ossl_time_ms(X509_get0_notAfter(cert), &e.not_after_ms)) ||
	    (rc = ossl_cert_put(&der, cert)))
		return rc;
	memcpy(e.spki_sha256, csr->spki_sha256, sizeof(e.spki_sha256));
	e.der = der.data;
	e.der_len = der.len;
	return issued_log_append(s->log, &e);
}

/* The certificate of this reservation: the one in our list when a crash came between list and
 * registry, so that a serial never names two certificates; else a fresh one. */
static int cert_have(const struct issuance *is, const struct ca_csr *csr,
		     const struct issue_grant *g, X509 **out)
{
	struct signer *s = is->signer;
	AUTO_BUF store = {.max = CERT_DER_MAX + 16};
	struct issued_entry e;
	int rc = issued_log_find(s->log, g->cert_serial, &store, &e);

	if (rc == 0 && strcmp(e.device, g->device))
		return own_failed(err_set(ERR_CORRUPT, "serial %s was issued to another pump",
					  g->cert_serial));
	if (rc == 0)
		return earlier_check(is->set, csr, e.der, e.der_len, out);
	if (rc != ERR_NOT_FOUND)
		return own_failed(rc);
	if ((rc = rate_check(s, true))) /* the reservation waits */
		return rc;
	rc = sign_fresh(is, csr, g, out);
	if (!rc)
		rc = log_fresh(s, csr, g, *out);
	if (rc == ERR_EXISTS) { /* the same request twice at once: the other one was first */
		X509_free(*out);
		*out = NULL;
		buf_reset(&store);
		rc = issued_log_find(s->log, g->cert_serial, &store, &e);
		if (!rc)
			return earlier_check(is->set, csr, e.der, e.der_len, out);
	}
	return rc ? own_failed(rc) : 0;
}

static int store(struct issuance *is, X509 *cert, bool by_token)
{
	const struct ca_issuer *issuer = NULL;
	AUTO_BUF der = {.max = CERT_DER_MAX};
	struct issue_store st = {0};
	int rc;

	if ((rc = issuer_set_find(is->set, cert, &issuer)) ||
	    (rc = str_copy(st.issuer, sizeof(st.issuer), issuer->name)) ||
	    (rc = ossl_serial_hex(cert, st.cert_serial, sizeof(st.cert_serial))) ||
	    (rc = ossl_time_ms(X509_get0_notBefore(cert), &st.not_before)) ||
	    (rc = ossl_time_ms(X509_get0_notAfter(cert), &st.not_after)) ||
	    (rc = ossl_cert_put(&der, cert)))
		return own_failed(rc);
	memcpy(st.der.data, der.data, der.len);
	st.der.len = (uint32_t)der.len;
	rc = registry_issue_store(is->registry, &st, REGISTRY_WAIT_MS);
	return rc && rc != ERR_UNCHANGED ? registry_failed(is, rc, by_token) : 0;
}

static int begin_call(struct issuance *is, const struct issue_begin *begin, struct issue_grant *out)
{
	char refusal[TEXT_SIZE];
	bool news = false;
	int rc = is->introduced == is->set->generation ? 0 : introduce(is, is->set, &news);

	if (!rc)
		rc = registry_issue_begin(is->registry, begin, out, REGISTRY_WAIT_MS);
	if (rc != ERR_CONFLICT)
		return rc;
	/* perhaps the registry came back with another database, which has yet to know us */
	snprintf(refusal, sizeof(refusal), "%s", err_text());
	if (introduce(is, is->set, &news) == 0 && news)
		return registry_issue_begin(is->registry, begin, out, REGISTRY_WAIT_MS);
	return err_set(rc, "%s", refusal);
}

/* From the grounds in `begin` (method, token or prior) to the answer. */
static int issue(struct issuance *is, const struct ca_csr *csr, struct issue_begin *begin,
		 struct signed_cert *out)
{
	bool by_token = begin->token.len > 0;
	uint8_t serial[CA_SERIAL_BYTES];
	struct issue_grant g;
	AUTO_X509 cert = NULL;
	int rc = rate_check(is->signer, false);

	if (rc)
		return rc;
	ca_serial_random(serial);
	hex_encode(serial, sizeof(serial), begin->cert_serial, sizeof(begin->cert_serial));
	snprintf(begin->issuer, sizeof(begin->issuer), "%s", is->set->current.name);
	memcpy(begin->key_type, csr->key_type, sizeof(begin->key_type));
	memcpy(begin->spki_sha256.data, csr->spki_sha256, sizeof(csr->spki_sha256));
	begin->spki_sha256.len = sizeof(csr->spki_sha256);
	rc = begin_call(is, begin, &g);
	if (rc)
		return registry_failed(is, rc, by_token);
	if (strcmp(g.device, begin->device))
		return own_failed(err_set(ERR_CORRUPT, "the registry granted another pump"));
	if (g.der.len) {
		rc = earlier_check(is->set, csr, g.der.data, g.der.len, &cert);
		return rc ? rc : answer(cert, g.device, out);
	}
	if ((rc = cert_have(is, csr, &g, &cert)) || (rc = store(is, cert, by_token)))
		return rc;
	return answer(cert, g.device, out);
}

/* The terms of either request: their fields have the same names. */
#define TERMS_OF(rq)                                                    \
	((struct ca_csr_terms){.key_type = (rq)->key_type,              \
			       .bound = (rq)->bound,                    \
			       .tls_unique = (rq)->tls_unique.data,     \
			       .tls_unique_len = (rq)->tls_unique.len,  \
			       .tls_exporter = (rq)->tls_exporter.data, \
			       .tls_exporter_len = (rq)->tls_exporter.len})

static int enroll(struct issuance *is, const struct sign_enroll *rq, struct signed_cert *out)
{
	struct issue_begin begin = {.method = "token"};
	struct ca_csr_terms terms = TERMS_OF(rq);
	AUTO_CSR csr = {0};
	int rc;

	if (rq->token.len == 0)
		return ca_refuse(REASON_TOKEN_WRONG, ERR_DENIED, "no token");
	if ((rc = ca_csr_parse(rq->csr.data, rq->csr.len, &csr)) ||
	    (rc = ca_keys_check(is->set, &csr)) || (rc = ca_csr_check_terms(&csr, &terms)) ||
	    (rc = ca_csr_check_names(&csr, rq->device)))
		return rc;
	memcpy(begin.device, rq->device, sizeof(begin.device));
	memcpy(begin.source, rq->source, sizeof(begin.source));
	memcpy(begin.token.data, rq->token.data, rq->token.len);
	begin.token.len = rq->token.len;
	rc = issue(is, &csr, &begin, out);
	secret_wipe(&begin.token, sizeof(begin.token));
	return rc;
}

static int renew(struct issuance *is, const struct sign_renew *rq, struct signed_cert *out)
{
	struct issue_begin begin = {.method = "renewal"};
	struct ca_csr_terms terms = TERMS_OF(rq);
	struct cert_name asked = {0};
	struct cert_facts facts;
	AUTO_CSR csr = {0};
	AUTO_X509 prior = NULL;
	bool news;
	int rc, proof;

	if ((rc = ca_csr_parse(rq->csr.data, rq->csr.len, &csr)) ||
	    (rc = ca_keys_check(is->set, &csr)) || (rc = ca_csr_check_terms(&csr, &terms)) ||
	    (rc = grounds_prior_parse(is->set, rq, &prior, &begin)))
		return rc;
	memcpy(asked.issuer, begin.prior_issuer, sizeof(asked.issuer));
	memcpy(asked.cert_serial, begin.prior_serial, sizeof(asked.cert_serial));
	rc = is->introduced == is->set->generation ? 0 : introduce(is, is->set, &news);
	if (!rc)
		rc = registry_cert_facts(is->registry, &asked, &facts, REGISTRY_WAIT_MS);
	if (rc)
		return registry_failed(is, rc, false);
	if ((rc = grounds_prior_check(&facts, rq, clock_wall_ms(), is->signer->late_max_ms,
				      &begin.late)) ||
	    (rc = ca_csr_check_names(&csr, facts.device)))
		return rc;
	proof = grounds_proof_check(&facts, &csr, prior, clock_wall_ms(), &begin.unproven);
	/* who comes back late proves it by the registered key: nobody is asked to believe him */
	if (proof && (begin.late || !begin.unproven || !is->signer->unproven_queue))
		return proof;
	memcpy(begin.device, facts.device, sizeof(begin.device));
	memcpy(begin.source, rq->source, sizeof(begin.source));
	return issue(is, &csr, &begin, out);
}

static int idevid(struct issuance *is, const struct sign_idevid *rq, struct signed_cert *out)
{
	struct issue_begin begin = {.method = "idevid"};
	struct ca_csr_terms terms = TERMS_OF(rq);
	const struct list_query all = {.limit = 0};
	struct maker *makers;
	AUTO_CSR csr = {0};
	size_t n = 0;
	int rc;

	if ((rc = ca_csr_parse(rq->csr.data, rq->csr.len, &csr)) ||
	    (rc = ca_csr_check_terms(&csr, &terms)))
		return rc;
	makers = calloc(MAKERS_MAX, sizeof(*makers));
	if (!makers)
		return own_failed(err_set(ERR_NOMEM, "no memory for makers"));
	/* asked anew each time: a maker that was disabled vouches for nobody from then on */
	rc = registry_maker_trust(is->registry, &all, makers, MAKERS_MAX, &n, REGISTRY_WAIT_MS);
	if (rc)
		rc = registry_failed(is, rc, false);
	else
		rc = grounds_idevid_check(rq, &csr, makers, n, clock_wall_ms(), &begin);
	free(makers);
	if (rc)
		return rc;
	memcpy(begin.source, rq->source, sizeof(begin.source));
	return issue(is, &csr, &begin, out);
}

/* ---- with the CAs that are in force now ---- */

int issuance_enroll(struct issuance *is, const struct sign_enroll *rq, struct signed_cert *out)
{
	AUTO_ISSUERS set = issuers_get(is->signer->issuers);

	is->set = set;
	return enroll(is, rq, out);
}

int issuance_renew(struct issuance *is, const struct sign_renew *rq, struct signed_cert *out)
{
	AUTO_ISSUERS set = issuers_get(is->signer->issuers);

	is->set = set;
	return renew(is, rq, out);
}

int issuance_idevid(struct issuance *is, const struct sign_idevid *rq, struct signed_cert *out)
{
	AUTO_ISSUERS set = issuers_get(is->signer->issuers);

	is->set = set;
	return idevid(is, rq, out);
}
