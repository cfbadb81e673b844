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
#include "base/daemon.h"
#include "pump_agent/anchors.h"
#include "pump_agent/birth.h"
#include "pump_agent/csrattrs.h"
#include "pump_agent/est_client.h"
#include "pump_agent/succession.h"
#include "pump_agent/tpm.h"

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

/* Over an unproven connection: which of the sent certificates is the server's root? Or the bundle
 * had them. */
static int first_contact(struct enrol *e, const struct bundle *b, STACK_OF(X509) * *server_out)
{
	const struct pump_settings *set = &b->settings;
	AUTO_BUF answer = {.max = EST_ANSWER_MAX};
	AUTO_X509S all = NULL;
	int rc = step(e, "first-contact");

	if (!rc && b->anchors) {
		*server_out = X509_chain_up_ref(b->anchors);
		if (!*server_out)
			return err_ossl(ERR_NOMEM, "anchors");
		wall_clock_floor_of(e->clock, *server_out);
		return 0;
	}
	rc = rc ? rc : est_cacerts_unverified(set->est, e->stop, &answer);
	rc = rc ? rc : est_certs_parse(answer.data, answer.len, &all);
	rc = rc ? rc : anchors_of_server(all, set->anchor_hash, server_out);
	if (!rc) /* pinned by the bundle: true, whoever sent them */
		wall_clock_floor_of(e->clock, *server_out);
	return rc ? err_add(rc, "first contact with %s", set->est) : 0;
}

/* The certificates of a server that proves itself, and the time by it: the clock is put right
 * before anything is judged by it. */
static int cacerts_fetch(struct enrol *e, struct est_session *est, struct buf *answer)
{
	int rc = est_cacerts(est, answer);

	if (rc == ERR_CRYPTO && est_session_is_expired(est) && wall_clock_expired(e->clock)) {
		rc = est_cacerts(est, answer);
		if (rc == ERR_CRYPTO && est_session_is_expired(est))
			(void)wall_clock_expired(e->clock); /* it has: undone */
	}
	if (!rc && est_session_time(est))
		wall_clock_told(e->clock, est_session_time(est));
	return rc;
}

/* Over the proven connection: what there is after what was held, of the servers and of pumps. */
static int anchors_ask(struct enrol *e, struct est_session *est, const STACK_OF(X509) * held,
		       STACK_OF(X509) * *server_out, STACK_OF(X509) * *devices_out)
{
	AUTO_BUF answer = {.max = EST_ANSWER_MAX};
	uint8_t proven[ANCHOR_HASH_BYTES];
	AUTO_X509S all = NULL;
	AUTO_X509S server = NULL;
	int rc = cacerts_fetch(e, est, &answer);

	rc = rc ? rc : est_session_anchor(est, proven);
	rc = rc ? rc : est_certs_parse(answer.data, answer.len, &all);
	rc = rc ? rc : anchors_follow(held, all, proven, clock_wall_ms() / 1000, &server);
	rc = rc ? rc : anchors_of_devices(all, server, devices_out);
	if (!rc)
		*server_out = OSSL_TAKE(server);
	return rc;
}

static int anchors_fetch(struct enrol *e, struct est_session *est, const struct pump_settings *set,
			 const STACK_OF(X509) * held, STACK_OF(X509) * *devices_out)
{
	AUTO_X509S server = NULL;
	AUTO_X509S devices = NULL;
	int rc = step(e, "cacerts");

	rc = rc ? rc : anchors_ask(e, est, held, &server, &devices);
	rc = rc ? rc : store_anchors_write(e->store, set, ANCHORS_SERVER, server);
	rc = rc ? rc : store_anchors_write(e->store, set, ANCHORS_DEVICES, devices);
	if (!rc)
		*devices_out = OSSL_TAKE(devices);
	return rc;
}

/* What the server asks of a request. A server without /csrattrs asks for nothing. */
static int wishes_fetch(struct enrol *e, struct est_session *est, struct csr_wishes *out)
{
	AUTO_BUF answer = {.max = EST_ANSWER_MAX};
	int rc = step(e, "csrattrs");

	rc = rc ? rc : est_csrattrs(est, &answer);
	if (rc == ERR_NOT_FOUND) {
		*out = (struct csr_wishes){.key = KEY_AS_ASKED};
		return 0;
	}
	return rc ? rc : csrattrs_decode(answer.data, answer.len, out);
}

/* The slot's key; a new one, on disk before anybody hears of it, when there is none. What this pump
 * was set to make counts more than what the server asks for. */
static int slot_key(struct enrol *e, enum slot slot, const char *purpose, enum key_kind asked,
		    EVP_PKEY **out)
{
	enum key_kind kind = e->key_kind == KEY_AS_ASKED ? asked : e->key_kind;
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
		rc = tpm_is_wanted() ? tpm_key_new(kind, &key) : credential_key_new(kind, &key);
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

/* One request of either kind: with a token it is the first. */
struct request {
	struct credential_request csr;
	const struct secret *token; /* NULL: the certificate shown in TLS stands for the pump */
	bool is_renewal;
	enum slot slot;
	const STACK_OF(X509) * devices;
	bool wants_binding;
};

static int request_post(struct est_session *est, struct request *r, struct buf *answer)
{
	AUTO_BUF csr = {.max = 8192};
	int rc;

	r->csr.challenge = r->wants_binding ? est_channel(est).binding : NULL;
	rc = credential_request_build(&r->csr, &csr);
	if (rc)
		return rc;
	if (r->token)
		return est_simpleenroll(est, r->csr.serial, r->token, &csr, answer);
	return r->is_renewal ? est_simplereenroll(est, &csr, answer)
			     : est_simpleenroll_shown(est, &csr, answer);
}

/* A request that names a connection is refused when another one had to be made for it: then
 * once more, with the new one's name. */
static int request_send(struct enrol *e, struct est_session *est, struct request *r)
{
	AUTO_BUF answer = {.max = EST_ANSWER_MAX};
	unsigned connection = est_channel(est).number;
	int rc = step(e, r->is_renewal ? "simplereenroll" : "simpleenroll");

	rc = rc ? rc : request_post(est, r, &answer);
	if (rc == ERR_DENIED && r->wants_binding && est_channel(est).number != connection) {
		buf_reset(&answer);
		rc = request_post(est, r, &answer);
	}
	return rc ? rc
		  : certificate_take(e, r->slot, r->csr.key, r->csr.serial, r->devices, &answer);
}

int enrol_by_bundle(struct enrol *e)
{
	/* A revoked pump that is enrolled anew keeps its old slot until the new one is whole. */
	enum slot slot = e->state.enrolled ? slot_other(e->state.active) : SLOT_A;
	struct store_state done = {.enrolled = true, .active = slot};
	AUTO_BUNDLE b = {0};
	AUTO_BIRTH birth = {0};
	struct est_identity shown = {0};
	struct credential_prior prior = {0};
	AUTO_X509S server = NULL;
	AUTO_X509S devices = NULL;
	AUTO_PKEY key = NULL;
	AUTO_EST est = NULL;
	struct csr_wishes wishes = {0};
	int rc = step(e, "bundle");

	rc = rc ? rc : enrol_bundle_hash(e->bundle_path, done.bundle_hash);
	if (!rc && e->state.enrolled && !strcmp(done.bundle_hash, e->state.bundle_hash))
		return err_set(ERR_USED, "%s: was used before", e->bundle_path);
	rc = rc ? rc : bundle_read(e->bundle_path, &b);
	done.settings = b.settings;
	rc = rc ? rc : first_contact(e, &b, &server);
	rc = rc ? rc : step(e, "birth");
	rc = rc ? rc : birth_read(&b, &birth);
	shown = (struct est_identity){birth.key, birth.cert, birth.chain};
	prior = (struct credential_prior){birth.key, birth.cert};
	rc = rc ? rc
		: est_session_new(b.settings.est, server, b.token ? NULL : &shown, e->stop, &est);
	rc = rc ? rc : anchors_fetch(e, est, &b.settings, server, &devices);
	rc = rc ? rc : wishes_fetch(e, est, &wishes);
	rc = rc ? rc : slot_key(e, slot, done.bundle_hash, wishes.key, &key);
	if (!rc && !slot_is_ready(e, slot, key, b.settings.pump, devices)) {
		struct request r = {.csr = {.key = key,
					    .serial = b.settings.pump,
					    .prior = b.token ? NULL : &prior,
					    .now_ms = clock_wall_ms()},
				    .token = b.token,
				    .slot = slot,
				    .devices = devices,
				    .wants_binding = wishes.wants_binding};

		rc = request_send(e, est, &r);
	}
	rc = rc ? rc : step(e, "commit");
	rc = rc ? rc : store_state_write(e->store, &done);
	/* The token has done its work: it must not lie about on a pump. */
	if (!rc && unlink(e->bundle_path))
		e->is_bundle_kept = errno != ENOENT;
	return rc;
}

/* What a renewal follows, and where it goes. */
struct renewal {
	struct credential_prior prior; /* not owned */
	enum slot slot;
	char purpose[SLOT_PURPOSE_MAX];
};

static int renew_request(struct enrol *e, struct renewal *n)
{
	const struct pump_settings *set = &e->state.settings;
	struct csr_wishes wishes = {0};
	AUTO_X509S server = NULL;
	AUTO_X509S devices = NULL;
	AUTO_PKEY key = NULL;
	AUTO_EST est = NULL;
	const struct est_identity shown = {n->prior.key, n->prior.cert, NULL};
	struct request r = {.slot = n->slot, .is_renewal = true};
	int rc = store_anchors_read(e->store, set, ANCHORS_SERVER, &server);

	rc = rc ? rc : est_session_new(set->est, server, &shown, e->stop, &est);
	rc = rc ? rc : anchors_fetch(e, est, set, server, &devices);
	rc = rc ? rc : wishes_fetch(e, est, &wishes);
	rc = rc ? rc : slot_key(e, n->slot, n->purpose, wishes.key, &key);
	if (rc)
		return rc;
	r.csr = (struct credential_request){
		.key = key, .serial = set->pump, .prior = &n->prior, .now_ms = clock_wall_ms()};
	r.devices = devices;
	r.wants_binding = wishes.wants_binding;
	return request_send(e, est, &r);
}

/* A certificate for this renewal that an earlier run brought into the slot, with its key. */
static bool renewal_is_ready(struct enrol *e, const struct renewal *n)
{
	char found[SLOT_PURPOSE_MAX];
	AUTO_X509S devices = NULL;
	AUTO_PKEY key = NULL;

	return !store_slot_purpose(e->store, n->slot, found) && !strcmp(found, n->purpose) &&
	       !store_key_read(e->store, n->slot, &key) &&
	       !store_anchors_read(e->store, &e->state.settings, ANCHORS_DEVICES, &devices) &&
	       slot_is_ready(e, n->slot, key, e->state.settings.pump, devices);
}

int enrol_renew(struct enrol *e)
{
	struct renewal n = {.slot = slot_other(e->state.active), .purpose = "renewal of "};
	char *serial = n.purpose + strlen(n.purpose);
	AUTO_PKEY old_key = NULL;
	AUTO_X509 old_cert = NULL;
	int rc = step(e, "identity");

	rc = rc ? rc : store_key_read(e->store, e->state.active, &old_key);
	rc = rc ? rc : store_cert_read(e->store, e->state.active, &old_cert);
	rc = rc ? rc : ossl_serial_hex(old_cert, serial, CERT_SERIAL_TEXT_MAX);
	if (rc || renewal_is_ready(e, &n))
		return rc;
	n.prior = (struct credential_prior){old_key, old_cert};
	return renew_request(e, &n);
}

/* A server without renewal information wants nothing. */
static int renewal_ask(struct enrol *e, struct est_session *est, const X509 *cert)
{
	struct est_renewal_info info;
	int rc = step(e, "renewal-info");

	rc = rc ? rc : est_renewal_info(est, &info);
	if (rc == ERR_INVALID || rc == ERR_DENIED) {
		e->renew_at_s = 0;
		return 0;
	}
	if (rc)
		return rc;
	e->renew_at_s = credential_moment(cert, info.start_s, info.end_s);
	e->again_s = info.again_s;
	return 0;
}

/* The server proves itself by what is pinned, and says which CAs there are: a new one below a
 * pinned root is taken, and a root that a pinned one vouches for; what is no more is dropped. */
static int anchors_refresh(struct enrol *e, struct est_session *est, const STACK_OF(X509) * held,
			   STACK_OF(X509) * *fresh_out)
{
	const struct pump_settings *set = &e->state.settings;
	AUTO_X509S fresh = NULL;
	AUTO_X509S devices = NULL;
	bool ignored = false;
	int rc = anchors_ask(e, est, held, &fresh, &devices);

	if (!rc && !est_session_time(est))
		rc = err_set(ERR_INVALID, "the server does not say what time it is");
	rc = rc ? rc : store_anchors_update(e->store, set, ANCHORS_DEVICES, devices, &ignored);
	rc = rc ? rc
		: store_anchors_update(e->store, set, ANCHORS_SERVER, fresh, &e->anchors_changed);
	if (!rc)
		*fresh_out = OSSL_TAKE(fresh);
	return rc;
}

/* How the pump is, to the server, and what that says. A server without the resource says nothing.
 */
static int report_send(struct enrol *e, struct est_session *est, X509 *cert,
		       const STACK_OF(X509) * server)
{
	struct self_report r = {.software = PUMPGATE_VERSION,
				.key_in_tpm = e->key_in_tpm,
				.infusing = e->infusing,
				.clock = wall_clock_report(e->clock),
				.slots = {{cert, true}},
				.server = server};
	AUTO_BUF report = {.max = SELF_REPORT_MAX};
	AUTO_BUF answer = {.max = SELF_TOLD_MAX};
	AUTO_X509S devices = NULL;
	AUTO_X509 other = NULL;
	int64_t again_s = 0;
	int rc = step(e, "status");

	if (rc)
		return rc;
	if (!store_cert_read(e->store, slot_other(e->state.active), &other))
		r.slots[1].cert = other;
	if (!store_anchors_read(e->store, &e->state.settings, ANCHORS_DEVICES, &devices))
		r.devices = devices;
	open_ports_read(&r.ports);
	rc = self_report_build(&r, &report);
	rc = rc ? rc : est_status(est, &report, &answer, &again_s);
	if (rc == ERR_NOT_FOUND)
		return 0;
	rc = rc ? rc : self_told_parse(answer.data, answer.len, &e->told);
	if (!rc && again_s && (!e->again_s || again_s < e->again_s))
		e->again_s = again_s;
	return rc;
}

static int policy_ask(struct enrol *e, struct est_session *est, const STACK_OF(X509) * server)
{
	AUTO_BUF answer = {.max = EST_ANSWER_MAX};
	int rc = step(e, "server-policy");

	rc = rc ? rc : est_server_policy(est, &answer);
	if (rc == ERR_NOT_FOUND)
		return 0;
	return rc ? rc : server_policy_verify(answer.data, answer.len, server, &e->policy);
}

int enrol_ask(struct enrol *e)
{
	const struct pump_settings *set = &e->state.settings;
	AUTO_X509S server = NULL; /* what the session trusts */
	AUTO_X509S fresh = NULL;
	AUTO_PKEY key = NULL;
	AUTO_X509 cert = NULL;
	AUTO_EST est = NULL;
	struct est_identity shown = {0};
	int rc = step(e, "clock");

	rc = rc ? rc : store_key_read(e->store, e->state.active, &key);
	rc = rc ? rc : store_cert_read(e->store, e->state.active, &cert);
	rc = rc ? rc : store_anchors_read(e->store, set, ANCHORS_SERVER, &server);
	shown = (struct est_identity){key, cert, NULL};
	rc = rc ? rc : est_session_new(set->est, server, &shown, e->stop, &est);
	rc = rc ? rc : anchors_refresh(e, est, server, &fresh);
	rc = rc ? rc : renewal_ask(e, est, cert);
	rc = rc ? rc : policy_ask(e, est, fresh);
	return rc ? rc : report_send(e, est, cert, fresh);
}
