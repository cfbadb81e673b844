/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Owns the life of the service: read settings, load the keys it needs, open the lists, listen,
 * put on the cage, start the workers and the keeper, serve, stop. Holds the device CA's key and the
 * NAS CA's: the root keys and the server CA's stay on the disk.
 */
#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>

#include <event2/event.h>
#include <event2/thread.h>

#include "base/clock.h"
#include "base/daemon.h"
#include "base/log.h"
#include "ca/pkcs11.h"
#include "ca/signerd/checkpointer.h"
#include "ca/signerd/confine.h"
#include "ca/signerd/issuer_files.h"
#include "ca/signerd/keeper.h"
#include "ca/signerd/nas_cert.h"
#include "ca/signerd/publisher.h"
#include "ca/signerd/remember.h"
#include "ca/signerd/responder.h"
#include "ca/signerd/rollover.h"
#include "ca/signerd/signerd.h"
#include "ca/signerd/workers.h"
#include "sql/proto/registry_verbs.h"

#define WORKERS \
	16 /* they wait for the disk more than they compute: what waits together shares it */
#define CONNECTIONS_MAX 64
#define IN_FLIGHT_MAX 16

struct service {
	struct signer_settings settings;
	struct signer signer;
	struct issuer_files files;
	struct nas_signer nas;
	struct workers *workers;
	struct keeper *keeper;
	struct responder *responder;
	struct checkpointer *checkpointer;
	struct event_base *base;
	struct ipc_server *server;
	char socket_path[PATH_MAX];
	char registry_path[PATH_MAX];
};

static void issue_handle(struct ipc_request *rq, void *ctx)
{
	struct service *s = ctx;

	workers_give(s->workers, rq);
}

static enum keystore_form device_key_form(const char *home)
{
	char path[PATH_MAX], detail[PKCS11_URI_MAX + 1];
	enum keystore_form form = KEYSTORE_NONE;

	if (ca_path(home, "device", "ca.key", path) || keystore_key_form(path, &form, detail))
		return KEYSTORE_NONE;
	return form;
}

static void issuers_describe(const struct service *s, struct signer_status *out)
{
	AUTO_ISSUERS set = issuers_get(s->signer.issuers);

	snprintf(out->key_store, sizeof(out->key_store), "%s",
		 keystore_form_name(device_key_form(s->files.home)));
	snprintf(out->issuer, sizeof(out->issuer), "%s", set->current.name);
	out->issuer_ca = set->current_ca;
	out->issuer_not_after = set->current.not_after_ms;
	if (!issuer_set_has_old(set))
		return;
	snprintf(out->old_issuer, sizeof(out->old_issuer), "%s", set->old.name);
	out->old_ca = set->old_ca;
	out->old_retired = set->old_is_retired;
	out->old_until = set->old_until_ms;
}

static void status_handle(struct ipc_request *rq, void *ctx)
{
	struct service *s = ctx;
	struct signer_status st = {.issued = issued_log_count(s->signer.log),
				   .revoked = issued_log_count(s->signer.revoked)};

	issuers_describe(s, &st);
	pthread_mutex_lock(&s->signer.rate_lock);
	st.issue_per_minute = s->signer.minute.n;
	st.issue_per_hour = s->signer.hour.n;
	st.capped = s->signer.capped;
	st.capped_at = s->signer.capped_at_ms;
	pthread_mutex_unlock(&s->signer.rate_lock);
	publisher_describe(s->signer.publisher, &st);
	responder_describe(s->responder, &st);
	checkpointer_describe(s->checkpointer, &st);
	ipc_request_reply(rq, &st, 1);
}

static void crl_handle(struct ipc_request *rq, void *ctx)
{
	struct service *s = ctx;
	struct crl_part part = {0};
	int rc = publisher_part(s->signer.publisher, ipc_request_record(rq), &part);

	if (rc)
		ipc_request_fail(rq, rc);
	else
		ipc_request_reply(rq, &part, 1);
}

static void ocsp_handle(struct ipc_request *rq, void *ctx)
{
	struct service *s = ctx;

	responder_give(s->responder, rq);
}

static void checkpoints_handle(struct ipc_request *rq, void *ctx)
{
	struct service *s = ctx;

	checkpointer_list(s->checkpointer, rq);
}

static void checkpoint_state_handle(struct ipc_request *rq, void *ctx)
{
	struct service *s = ctx;

	checkpointer_state(s->checkpointer, rq);
}

static void checkpoint_accept_handle(struct ipc_request *rq, void *ctx)
{
	struct service *s = ctx;

	checkpointer_accept(s->checkpointer, rq);
}

/* Rare, and quick: on the loop's own thread. */
static void nas_handle(struct ipc_request *rq, void *ctx)
{
	const struct sign_nas *q = ipc_request_record(rq);
	struct service *s = ctx;
	struct signed_cert cert;
	int rc = nas_cert_issue(&s->nas, q, &cert);

	if (rc) {
		LOG(LOG_WARN, "signer.refused", LOG_S("verb", "nas"), LOG_S("nas", q->name),
		    LOG_S("code", err_name(rc)), LOG_S("why", err_text()));
		ipc_request_fail(rq, rc);
		return;
	}
	LOG(LOG_INFO, "signer.issued", LOG_S("verb", "nas"), LOG_S("nas", cert.device),
	    LOG_S("serial", cert.cert_serial));
	ipc_request_reply(rq, &cert, 1);
}

/* Who may ask what: the whole attack surface. */
static const struct ipc_verb enroll_verbs[] = {
	{.verb = SIGNER_ENROLL,
	 .name = "enroll",
	 .req = &record_sign_enroll,
	 .req_max = 1,
	 .rep = &record_signed_cert,
	 .handle = issue_handle},
	{.verb = SIGNER_RENEW,
	 .name = "renew",
	 .req = &record_sign_renew,
	 .req_max = 1,
	 .rep = &record_signed_cert,
	 .handle = issue_handle},
	{.verb = SIGNER_IDEVID,
	 .name = "idevid",
	 .req = &record_sign_idevid,
	 .req_max = 1,
	 .rep = &record_signed_cert,
	 .handle = issue_handle},
	{.verb = SIGNER_WIPE,
	 .name = "wipe",
	 .req = &record_wipe_check,
	 .req_max = 1,
	 .rep = &record_signed_cert,
	 .handle = issue_handle},
};
/* The same process as enroll, on a connection of its own: asking much here takes no turn there. */
static const struct ipc_verb publish_verbs[] = {
	{.verb = SIGNER_CRL,
	 .name = "crl",
	 .req = &record_crl_query,
	 .req_max = 1,
	 .rep = &record_crl_part,
	 .handle = crl_handle},
	{.verb = SIGNER_OCSP,
	 .name = "ocsp",
	 .req = &record_ocsp_query,
	 .req_max = OCSP_ASKED_MAX,
	 .rep = &record_ocsp_answer,
	 .handle = ocsp_handle},
};
static const struct ipc_verb admin_verbs[] = {
	{.verb = SIGNER_STATUS,
	 .name = "status",
	 .req = &record_signer_query,
	 .req_max = 1,
	 .rep = &record_signer_status,
	 .handle = status_handle},
	{.verb = SIGNER_CRL,
	 .name = "crl",
	 .req = &record_crl_query,
	 .req_max = 1,
	 .rep = &record_crl_part,
	 .handle = crl_handle},
	{.verb = SIGNER_WIPE, /* by file, from a pump that does not reach its server */
	 .name = "wipe",
	 .req = &record_wipe_check,
	 .req_max = 1,
	 .rep = &record_signed_cert,
	 .handle = issue_handle},
	{.verb = SIGNER_NAS,
	 .name = "nas",
	 .req = &record_sign_nas,
	 .req_max = 1,
	 .rep = &record_signed_cert,
	 .handle = nas_handle},
	{.verb = SIGNER_CHECKPOINTS,
	 .name = "checkpoints",
	 .req = &record_checkpoint_query,
	 .req_max = 1,
	 .rep = &record_audit_checkpoint,
	 .handle = checkpoints_handle},
	{.verb = SIGNER_CHECKPOINT_STATE,
	 .name = "checkpoint_state",
	 .req = &record_checkpoint_query,
	 .req_max = 1,
	 .rep = &record_checkpoint_state,
	 .handle = checkpoint_state_handle},
	{.verb = SIGNER_CHECKPOINT_ACCEPT,
	 .name = "checkpoint_accept",
	 .req = &record_checkpoint_accept,
	 .req_max = 1,
	 .rep = &record_audit_checkpoint,
	 .handle = checkpoint_accept_handle},
};

static bool viewer_may(uint16_t verb)
{
	return verb == SIGNER_STATUS || verb == SIGNER_CRL;
}

static bool auditor_may(uint16_t verb)
{
	return viewer_may(verb) || verb == SIGNER_CHECKPOINTS || verb == SIGNER_CHECKPOINT_STATE;
}

static bool (*const rights[ADMIN_KINDS])(uint16_t verb) = {
	[ADMIN_VIEWER] = viewer_may,
	[ADMIN_ONBOARDER] = viewer_may,
	[ADMIN_AUDITOR] = auditor_may,
};

static int socket_folder_have(const char *home)
{
	static const char *const folders[] = {"run", "run/signer"};
	static const mode_t modes[] = {0755, 0711};
	char path[PATH_MAX];

	for (size_t i = 0; i < 2; i++) {
		int rc = home_path(home, folders[i], path);

		if (rc)
			return rc;
		if (mkdir(path, modes[i]) == 0) {
			if (chmod(path, modes[i]))
				return err_errno(ERR_IO, "%s", path);
		} else if (errno != EEXIST) {
			return err_errno(ERR_IO, "%s", path);
		}
	}
	return 0;
}

static int list_open(const char *home, const char *rel,
		     int (*open_fn)(const char *, struct issued_log **, size_t *),
		     struct issued_log **out)
{
	char path[PATH_MAX];
	size_t torn;
	int rc = home_path(home, rel, path);

	if (rc || (rc = open_fn(path, out, &torn)))
		return rc;
	if (torn)
		LOG(LOG_WARN, "signer.list_repaired", LOG_S("file", path),
		    LOG_U("bytes_of_an_unfinished_line", torn));
	return 0;
}

/* What was signed within the last hour counts on: a restart is no way around the cap. */
static void rates_init(struct service *s)
{
	int64_t since_ms = clock_wall_ms() - 3600 * 1000;
	uint64_t seq = issued_log_count(s->signer.log);
	struct list_place p;
	uint32_t n = 0;

	rate_init(&s->signer.minute, s->settings.issue_per_minute, clock_mono_us());
	rate_init_window(&s->signer.hour, s->settings.issue_per_hour, RATE_HOUR_US,
			 clock_mono_us());
	for (; seq && n < s->settings.issue_per_hour; seq--, n++)
		if (issued_log_at(s->signer.log, seq, &p) || p.at_ms < since_ms)
			break;
	rate_spent(&s->signer.hour, n);
}

/* The CAs of pumps as a source of sets. */
static bool cas_changed(void *ctx)
{
	struct service *s = ctx;

	return issuer_files_changed(&s->files);
}

static int cas_load(void *ctx, const struct issuer_set *before, struct issuer_set *out)
{
	struct service *s = ctx;

	return issuer_files_load(&s->files, before, out);
}

static void cas_told(void *ctx)
{
	struct service *s = ctx;

	publisher_stir(s->signer.publisher);
}

static int cas_open(const char *home, struct service *s)
{
	const struct issuers_source source = {cas_changed, cas_load, cas_told, s};
	int rc = rollover_settle(home, "device");

	issuer_files_init(&s->files, home, &s->settings.keys);
	return rc ? rc : issuers_new(&source, &s->signer.issuers);
}

static int keys_and_lists_open(const char *home, struct service *s)
{
	int rc;

	if ((rc = signer_settings_read(home, &s->settings)) || (rc = cas_open(home, s)) ||
	    (rc = list_open(home, "ca/issued.log", issued_log_open, &s->signer.log)) ||
	    (rc = list_open(home, "ca/revoked.log", revoked_log_open, &s->signer.revoked)))
		return rc;
	rc = issuer_load(home, "nas", &s->settings.keys, &s->nas.issuer);
	if (rc == ERR_NOT_FOUND)
		LOG(LOG_WARN, "signer.no_nas_ca", LOG_S("do", "pumpctl init, then restart"));
	else if (rc)
		return rc;
	rc = list_open(home, "ca/nas-issued.log", issued_log_open, &s->nas.log);
	if (rc)
		return rc;
	s->nas.validity_ms = s->settings.nas_validity_ms;
	s->signer.device_validity_ms = s->settings.device_validity_ms;
	s->signer.unproven_queue = s->settings.unproven_queue;
	s->signer.late_max_ms = s->settings.late_max_ms;
	s->signer.crl_url = s->settings.crl_url;
	s->signer.ocsp_url = s->settings.ocsp_url;
	if ((rc = revoked_set_new(&s->signer.revoked_set)) || (rc = remember_all(&s->signer)))
		return rc;
	pthread_mutex_init(&s->signer.rate_lock, NULL);
	rates_init(s);
	return 0;
}

static int listen_start(const char *home, struct service *s, const struct ipc_role *roles,
			size_t n_roles)
{
	/* one user for all: nobody else may even connect. Otherwise anybody may, but takes a role
	 * only as the uid that the roles name (SO_PEERCRED) */
	bool alone = s->settings.enroll_uids[0] == s->settings.admin_uids[0];
	struct ipc_server_options o = {
		.path = s->socket_path, /* filled in below */
		.mode = alone ? 0600 : 0666,
		.group = (gid_t)-1,
		.max_connections = CONNECTIONS_MAX,
		.max_in_flight = IN_FLIGHT_MAX,
		.roles = roles,
		.n_roles = n_roles,
		.ctx = s,
	};
	int rc;

	for (size_t i = 1; i < s->settings.n_admin; i++)
		if (s->settings.admin_uids[i] != 0 &&
		    s->settings.admin_uids[i] != s->settings.admin_uids[0])
			o.mode = 0666;
	for (int k = 0; k < ADMIN_KINDS; k++)
		if (s->settings.n_kind[k])
			o.mode = 0666;
	if ((rc = socket_folder_have(home)) ||
	    (rc = home_path(home, SIGNER_SOCKET, s->socket_path)) ||
	    (rc = home_path(home, REGISTRY_SOCKET, s->registry_path)))
		return rc;
	s->base = evthread_use_pthreads() == 0 ? event_base_new() : NULL;
	if (!s->base)
		return err_set(ERR_NOMEM, "no event loop");
	return ipc_server_new(s->base, &o, &s->server);
}

static void service_done(struct service *s)
{
	checkpointer_free(s->checkpointer);
	keeper_free(s->keeper);
	workers_free(s->workers);
	responder_free(s->responder);
	publisher_free(s->signer.publisher);
	ipc_server_free(s->server);
	if (s->base)
		event_base_free(s->base);
	issued_log_close(s->signer.log);
	issued_log_close(s->signer.revoked);
	revoked_set_free(s->signer.revoked_set);
	issued_log_close(s->nas.log);
	issuers_free(s->signer.issuers);
	ca_issuer_done(&s->nas.issuer);
}

static int threads_start(const char *home, struct service *s)
{
	char crl_state[PATH_MAX];
	int rc = home_path(home, "ca/crl.state", crl_state);

	if (rc || (rc = publisher_new(&s->signer, crl_state, &s->signer.publisher)) ||
	    (rc = responder_new(&s->signer, s->settings.ocsp_per_minute, &s->responder)) ||
	    (rc = workers_new(&s->signer, s->registry_path, WORKERS, &s->workers)))
		return rc;
	rc = keeper_new(&s->signer, s->registry_path, &s->keeper);
	return rc ? rc : checkpointer_new(home, s->settings.checkpoint_s, &s->checkpointer);
}

int command_serve(const char *home)
{
	struct service s = {0};
	struct ipc_role roles[3 + ADMIN_KINDS] = {
		{.name = "enroll",
		 .uids = s.settings.enroll_uids,
		 .n_uids = 1,
		 .verbs = enroll_verbs,
		 .n_verbs = sizeof(enroll_verbs) / sizeof(enroll_verbs[0])},
		{.name = "publish",
		 .uids = s.settings.enroll_uids,
		 .n_uids = 1,
		 .verbs = publish_verbs,
		 .n_verbs = sizeof(publish_verbs) / sizeof(publish_verbs[0])},
		{.name = "admin",
		 .uids = s.settings.admin_uids,
		 .verbs = admin_verbs,
		 .n_verbs = sizeof(admin_verbs) / sizeof(admin_verbs[0])},
	};
	int rc = keys_and_lists_open(home, &s);

	roles[2].n_uids = s.settings.n_admin;
	for (int k = 0; k < ADMIN_KINDS; k++) { /* the same verbs, of which few are theirs */
		roles[3 + k] = roles[2];
		roles[3 + k].uids = s.settings.kind_uids[k];
		roles[3 + k].n_uids = s.settings.n_kind[k];
		roles[3 + k].may = rights[k];
		roles[3 + k].kind = admin_kind_name((enum admin_kind)k);
	}
	if (!rc)
		rc = listen_start(home, &s, roles, sizeof(roles) / sizeof(roles[0]));
	if (!rc)
		rc = confine_signer();
	if (!rc)
		rc = threads_start(home, &s);
	if (!rc) {
		LOG(LOG_INFO, "signer.ready",
		    LOG_S("key", keystore_form_name(device_key_form(home))),
		    LOG_U("issued", issued_log_count(s.signer.log)));
		rc = daemon_loop(s.base);
	}
	if (rc)
		LOG(LOG_ERROR, "signer.failed", LOG_S("why", err_text()));
	service_done(&s);
	return rc ? EXIT_FAILED : EXIT_DONE;
}
