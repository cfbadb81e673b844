/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Owns the order of enrolment. Never sends the token before the server has proven itself, never
 * keeps a certificate that it has not checked.
 */
#include "pump_agent/enrol.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "pump_agent/anchors.h"
#include "pump_agent/est_client.h"

static int step(struct enrol *e, const char *name)
{
	if (str_copy(e->step, sizeof(e->step), name))
		return ERR_INTERNAL;
	return e->stop && atomic_load(e->stop) ? err_set(ERR_UNAVAILABLE, "the agent stops") : 0;
}

int enrol_bundle_hash(const char *path, char out[65])
{
	AUTO_BUF text = {.max = BUNDLE_MAX};
	uint8_t md[32];
	int rc = buf_read_file(&text, path);

	if (rc)
		return rc;
	if (!EVP_Digest(text.data, text.len, md, NULL, EVP_sha256(), NULL))
		return err_ossl(ERR_CRYPTO, "SHA-256");
	hex_encode(md, sizeof(md), out, 65);
	return 0;
}

/* Over an unproven connection: which of the sent certificates is the server's root? */
static int first_contact(struct enrol *e, const struct pump_settings *set,
			 STACK_OF(X509) * *server_out)
{
	AUTO_BUF answer = {.max = EST_ANSWER_MAX};
	AUTO_X509S all = NULL;
	int rc = step(e, "first-contact");

	rc = rc ? rc : est_cacerts_unverified(set->est, e->stop, &answer);
	rc = rc ? rc : est_certs_parse(answer.data, answer.len, &all);
	rc = rc ? rc : anchors_of_server(all, set->anchor_hash, server_out);
	return rc ? err_add(rc, "first contact with %s", set->est) : 0;
}

/* Over the proven connection: the pumps' own hierarchy, and once more the servers'. */
static int anchors_fetch(struct enrol *e, struct est_session *est, const struct pump_settings *set,
			 STACK_OF(X509) * *devices_out)
{
	AUTO_BUF answer = {.max = EST_ANSWER_MAX};
	AUTO_X509S all = NULL;
	AUTO_X509S server = NULL;
	AUTO_X509S devices = NULL;
	int rc = step(e, "cacerts");

	rc = rc ? rc : est_cacerts(est, &answer);
	rc = rc ? rc : est_certs_parse(answer.data, answer.len, &all);
	rc = rc ? rc : anchors_of_server(all, set->anchor_hash, &server);
	rc = rc ? rc : anchors_of_devices(all, server, &devices);
	rc = rc ? rc : store_anchors_write(e->store, set, ANCHORS_SERVER, server);
	rc = rc ? rc : store_anchors_write(e->store, set, ANCHORS_DEVICES, devices);
	if (!rc)
		*devices_out = OSSL_TAKE(devices);
	return rc;
}

/* The slot's key; a new one, on disk before anybody hears of it, when there is none. */
static int slot_key(struct enrol *e, enum slot slot, const char *purpose, EVP_PKEY **out)
{
	char found[SLOT_PURPOSE_MAX];
	AUTO_PKEY key = NULL;
	int rc = step(e, "key");

	rc = rc ? rc : store_slot_purpose(e->store, slot, found);
	if (!rc && strcmp(found, purpose))
		rc = store_slot_begin(e->store, slot, purpose);
	if (rc)
		return rc;
	rc = store_key_read(e->store, slot, &key);
	if (rc == ERR_NOT_FOUND || rc == ERR_CRYPTO) { /* none, or none that is whole */
		rc = credential_key_new(e->key_kind, &key);
		rc = rc ? rc : store_key_write(e->store, slot, key);
	}
	if (!rc)
		*out = OSSL_TAKE(key);
	return rc;
}

/* A certificate that an earlier run brought into the slot, if it is good. */
static bool slot_is_ready(const struct enrol *e, enum slot slot, EVP_PKEY *key, const char *pump,
			  const STACK_OF(X509) * devices)
{
	AUTO_X509 cert = NULL;

	return !store_cert_read(e->store, slot, &cert) &&
	       !credential_check(cert, key, pump, devices, clock_wall_ms() / 1000);
}

/* The certificate for `key` out of an enrolment answer, checked, into the slot. */
static int certificate_take(struct enrol *e, enum slot slot, EVP_PKEY *key, const char *pump,
			    const STACK_OF(X509) * devices, const struct buf *answer)
{
	AUTO_X509S certs = NULL;
	int rc = step(e, "certificate");

	rc = rc ? rc : est_certs_parse(answer->data, answer->len, &certs);
	if (rc)
		return rc;
	for (int i = 0; i < sk_X509_num(certs); i++) {
		X509 *x = sk_X509_value(certs, i);

		rc = credential_check(x, key, pump, devices, clock_wall_ms() / 1000);
		if (!rc)
			return store_cert_write(e->store, slot, x);
	}
	return rc;
}

static int bundle_read(const char *path, struct bundle *out)
{
	AUTO_BUF text = {.max = BUNDLE_MAX};
	int rc = buf_read_file(&text, path);

	rc = rc ? rc : bundle_parse(text.data, text.len, out);
	return rc ? err_add(rc, "%s", path) : 0;
}

static int enrol_request(struct enrol *e, struct est_session *est, const struct bundle *b,
			 enum slot slot, EVP_PKEY *key, const STACK_OF(X509) * devices)
{
	AUTO_BUF csr = {.max = 8192};
	AUTO_BUF answer = {.max = EST_ANSWER_MAX};
	int rc = credential_request_build(key, b->settings.pump, NULL, 0, &csr);

	rc = rc ? rc : step(e, "simpleenroll");
	rc = rc ? rc : est_simpleenroll(est, b->settings.pump, b->token, &csr, &answer);
	return rc ? rc : certificate_take(e, slot, key, b->settings.pump, devices, &answer);
}

int enrol_by_bundle(struct enrol *e)
{
	/* A revoked pump that is enrolled anew keeps its old slot until the new one is whole. */
	enum slot slot = e->state.enrolled ? slot_other(e->state.active) : SLOT_A;
	struct store_state done = {.enrolled = true, .active = slot};
	AUTO_BUNDLE b = {0};
	AUTO_X509S server = NULL;
	AUTO_X509S devices = NULL;
	AUTO_PKEY key = NULL;
	AUTO_EST est = NULL;
	int rc = step(e, "bundle");

	rc = rc ? rc : enrol_bundle_hash(e->bundle_path, done.bundle_hash);
	if (!rc && e->state.enrolled && !strcmp(done.bundle_hash, e->state.bundle_hash))
		return err_set(ERR_USED, "%s: was used before", e->bundle_path);
	rc = rc ? rc : bundle_read(e->bundle_path, &b);
	done.settings = b.settings;
	rc = rc ? rc : first_contact(e, &b.settings, &server);
	rc = rc ? rc : est_session_new(b.settings.est, server, NULL, NULL, e->stop, &est);
	rc = rc ? rc : anchors_fetch(e, est, &b.settings, &devices);
	rc = rc ? rc : slot_key(e, slot, done.bundle_hash, &key);
	if (!rc && !slot_is_ready(e, slot, key, b.settings.pump, devices))
		rc = enrol_request(e, est, &b, slot, key, devices);
	rc = rc ? rc : step(e, "commit");
	rc = rc ? rc : store_state_write(e->store, &done);
	/* The token has done its work: it must not lie about on a pump. */
	if (!rc && unlink(e->bundle_path))
		e->is_bundle_kept = errno != ENOENT;
	return rc;
}

static int renew_request(struct enrol *e, enum slot slot, EVP_PKEY *key, EVP_PKEY *old_key,
			 X509 *old_cert)
{
	const struct pump_settings *set = &e->state.settings;
	const struct credential_prior prior = {old_key, old_cert};
	AUTO_BUF csr = {.max = 8192};
	AUTO_BUF answer = {.max = EST_ANSWER_MAX};
	AUTO_X509S server = NULL;
	AUTO_X509S devices = NULL;
	AUTO_EST est = NULL;
	int rc = store_anchors_read(e->store, set, ANCHORS_SERVER, &server);

	rc = rc ? rc : est_session_new(set->est, server, old_key, old_cert, e->stop, &est);
	rc = rc ? rc : anchors_fetch(e, est, set, &devices);
	rc = rc ? rc : credential_request_build(key, set->pump, &prior, clock_wall_ms(), &csr);
	rc = rc ? rc : step(e, "simplereenroll");
	rc = rc ? rc : est_simplereenroll(est, &csr, &answer);
	return rc ? rc : certificate_take(e, slot, key, set->pump, devices, &answer);
}

int enrol_renew(struct enrol *e)
{
	enum slot slot = slot_other(e->state.active);
	char purpose[SLOT_PURPOSE_MAX] = "renewal of ";
	char *serial = purpose + strlen(purpose);
	AUTO_X509S devices = NULL;
	AUTO_PKEY old_key = NULL;
	AUTO_PKEY key = NULL;
	AUTO_X509 old_cert = NULL;
	int rc = step(e, "identity");

	rc = rc ? rc : store_key_read(e->store, e->state.active, &old_key);
	rc = rc ? rc : store_cert_read(e->store, e->state.active, &old_cert);
	rc = rc ? rc : ossl_serial_hex(old_cert, serial, CERT_SERIAL_TEXT_MAX);
	rc = rc ? rc : slot_key(e, slot, purpose, &key);
	rc = rc ? rc : store_anchors_read(e->store, &e->state.settings, ANCHORS_DEVICES, &devices);
	if (rc || slot_is_ready(e, slot, key, e->state.settings.pump, devices))
		return rc;
	return renew_request(e, slot, key, old_key, old_cert);
}
