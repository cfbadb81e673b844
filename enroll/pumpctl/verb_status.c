/* SPDX-License-Identifier: BSD-2-Clause */
/* pumpctl status: how many of everything, which processes are there, what is overdue. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include <jansson.h>

#include "base/clock.h"
#include "base/daemon.h"
#include "enroll/pumpctl/glass_report.h"
#include "enroll/pumpctl/probe.h"
#include "enroll/pumpctl/record_json.h"
#include "enroll/pumpctl/registry.h"
#include "enroll/pumpctl/report.h"
#include "enroll/pumpctl/server_keys.h"
#include "enroll/pumpctl/verbs.h"

#define ORDER_OVERDUE_MS 60000
#define CRL_OVERDUE_MS (INT64_C(2) * 86400000)
#define WRONG_MAX 24
#define DAY_MS 86400000LL
#define CA_WARN_MS (365 * DAY_MS)
#define CA_WRONG_MS (90 * DAY_MS)
#define CAPPED_SHOWN_MS (3600 * 1000)

struct health {
	struct status status;
	struct probe probe;
	struct glass_report glass;
	struct server_cert servers[SERVER_CERTS_MAX];
	size_t n_servers; /* 0: may not be read by this user */
	int64_t server_ca_ends, device_ca_ends;
	bool rolls_over, device_rolls_over;
	bool radsec_off;
	const char *wrong[WRONG_MAX];
	size_t n_wrong;
};

static void wrong_add(struct health *h, bool is_wrong, const char *what)
{
	if (is_wrong && h->n_wrong < WRONG_MAX)
		h->wrong[h->n_wrong++] = what;
}

static void certs_take(struct health *h, const struct settings *s)
{
	if (server_keys_look(s, h->servers, &h->n_servers))
		h->n_servers = 0;
	if (server_keys_ca_ends(s, "server", &h->server_ca_ends))
		h->server_ca_ends = 0;
	h->rolls_over = server_keys_ca_rolls_over(s, "server");
	h->device_rolls_over = server_keys_ca_rolls_over(s, "device");
	if (server_keys_ca_ends(s, "device", &h->device_ca_ends))
		h->device_ca_ends = 0;
}

static void certs_judge(struct health *h, int64_t now)
{
	for (size_t i = 0; i < h->n_servers; i++) {
		const struct server_cert *c = &h->servers[i];

		wrong_add(h, c->state == SERVER_BROKEN,
			  "a server's certificate is not right: pumpctl cert server-list says how, "
			  "pumpctl cert server-renew replaces it");
		wrong_add(h, c->state == SERVER_ENDED,
			  "a server's certificate has ended, pumps refuse it: pumpctl cert "
			  "server-renew");
		wrong_add(h, c->state == SERVER_DUE && c->urgent,
			  "a server's certificate ends soon and the timer has not renewed it: "
			  "pumpctl cert server-renew");
	}
	wrong_add(h, h->server_ca_ends - now < CA_WRONG_MS,
		  "the server CA ends within 90 days: pumpctl ca rollover start server");
	wrong_add(h, h->device_ca_ends - now < CA_WRONG_MS,
		  "the pumps' CA ends within 90 days: pumpctl ca rollover start device");
}

static void ca_print(const char *name, int64_t ends, int64_t now)
{
	char text[CLOCK_TEXT_MAX];

	clock_format(ends, text);
	printf("%-12s  ends %.10s%s\n", name, text,
	       ends - now < CA_WARN_MS
		       ? ", WITHIN A YEAR: plan its replacement (docs/OPERATIONS.md)"
		       : "");
}

static void certs_print(const struct health *h, int64_t now)
{
	for (size_t i = 0; i < h->n_servers; i++) {
		char text[CLOCK_TEXT_MAX];

		clock_format(h->servers[i].ends_ms, text);
		printf("%-6s cert   ends %.10s, %s\n", h->servers[i].folder, text,
		       server_state_name(h->servers[i].state));
	}
	if (!h->n_servers)
		puts("server certs  only root sees them: sudo pumpctl cert server-list");
	ca_print("server CA", h->server_ca_ends, now);
	if (h->rolls_over)
		puts("              it is being replaced: pumpctl ca rollover status server");
	ca_print("pumps' CA", h->device_ca_ends, now);
	if (h->device_rolls_over)
		puts("              it is being replaced: pumpctl ca rollover status device");
	else if (h->probe.signer && *h->probe.signer_status.old_issuer)
		puts("              the one before it still signs CRL and OCSP answers: pumpctl ca "
		     "rollover status device");
}

static json_t *certs_to_json(const struct health *h)
{
	json_t *list = json_array();

	for (size_t i = 0; i < h->n_servers; i++) {
		char text[CLOCK_TEXT_MAX];

		clock_format(h->servers[i].ends_ms, text);
		json_array_append_new(list, json_pack("{s:s s:s s:s}", "server",
						      h->servers[i].folder, "ends", text, "state",
						      server_state_name(h->servers[i].state)));
	}
	return list;
}

static void health_judge(struct health *h, int64_t now)
{
	const struct signer_status *crl =
		&h->probe.signer_status;			  /* zero when it does not answer */
	const struct cred_status *people = &h->probe.cred_status; /* likewise */
	const struct status *s = &h->status;

	wrong_add(
		h, h->glass.count.unreviewed,
		"a break-glass code was used and nobody has said by whom: pumpctl breakglass list "
		"--unreviewed");
	wrong_add(h, !h->probe.signer, "signerd does not answer: no pump can enrol or renew");
	wrong_add(h,
		  crl->crl_failing ||
			  (crl->crl_number && now - crl->crl_this_update > CRL_OVERDUE_MS),
		  "signerd can't make the revocation list for other systems: see its log");
	wrong_add(
		h, people->directory_down && people->directory_down == people->directory_servers,
		"no server of the directory answers: nobody logs in with the hospital's password: "
		"pumpctl user directory");
	wrong_add(
		h, people->directory_down && people->directory_down < people->directory_servers,
		"a server of the directory does not answer, another does: pumpctl user directory");
	wrong_add(h, people->held > 0,
		  "accounts of clinicians are disabled because a backup was restored that did not "
		  "know of their withdrawal: pumpctl user list; then user enable, or user disable "
		  "with a reason");
	wrong_add(h, people->behind > 0,
		  "pumps have heard of accounts withdrawn that this database does not know: it is "
		  "an old copy; hold pumpctl user list against the hospital's list");
	wrong_add(h, crl->checkpoint_fault[0] != '\0',
		  "signerd signs no checkpoint of the audit: pumpctl audit verify says why; if a "
		  "backup was restored: pumpctl audit accept");
	wrong_add(
		h, h->probe.signer && h->probe.signer_status.capped_at > now - CAPPED_SHOWN_MS,
		"signerd refused certificates in the last hour: more than [ca] issue_per_minute "
		"or issue_per_hour were asked for. If you are enrolling many pumps, raise them; if "
		"not, somebody mints: stop enrolld, see signerd's log and pumpctl cert list");
	wrong_add(h, !h->probe.est, "nobody listens on the EST port: no pump can enrol or renew");
	wrong_add(h, !h->probe.radius, "nobody has the RADIUS ports: no pump gets on");
	wrong_add(h, !h->probe.radsec && !h->radsec_off,
		  "nobody listens on the RadSec port: NAS that speak RadSec get no answer");
	wrong_add(h, !h->probe.cred, "credd does not answer: nobody can log in at a pump");
	wrong_add(h, !h->probe.login,
		  "nobody listens on the port for clinicians' logins: pumps fall back to what they "
		  "keep offline; see log/clinicians.log");
	wrong_add(h, !s->dispatcher_present,
		  "dispatchd is not connected: revocations are not sent to NAS");
	wrong_add(h, s->orders_open && now - s->orders_oldest > ORDER_OVERDUE_MS,
		  "a disconnect is open for more than a minute: pumpctl pump list --json shows "
		  "open_orders");
	wrong_add(h, s->untold > 0,
		  "a NAS could not be told that a pump is revoked: pumpctl pump why names it");
	wrong_add(h, s->unkept && now - s->unkept_oldest > ORDER_OVERDUE_MS,
		  "signerd has not written down a revocation for more than a minute: a restored "
		  "backup would not know it");
	wrong_add(h, s->compare_needed,
		  "the registry was restored and signerd has not told its lists: nobody gets on");
	wrong_add(h, s->held > 0,
		  "the registry was restored and had forgotten revocations; these pumps stay "
		  "refused (restored-gap): pumpctl backup merge");
	wrong_add(h, s->lost > 0,
		  "the registry was restored and lacks certificates; their pumps must enrol again: "
		  "pumpctl backup gap, then pumpctl backup merge");
	wrong_add(h, s->open_alarms > 0, "an alarm is open: pumpctl alarm list");
	wrong_add(h, s->recalls_paused > 0,
		  "a recall is paused: pumpctl recall list --open; resume or cancel it");
	wrong_add(h, s->events_dropped > 0,
		  "events were dropped because the registry was too slow");
	wrong_add(h, s->accepts_lost_at > now - DAY_MS,
		  "accepts of the last day are not on record (power was lost, or the registry was "
		  "too slow): for 24 hours after it a revocation goes to every NAS");
	certs_judge(h, now);
}

static void health_print(const struct health *h)
{
	const struct status *s = &h->status;
	char since[CLOCK_TEXT_MAX];

	clock_format(s->started_at, since);
	printf("pumps         %" PRIu64 " (%" PRIu64 " expected, %" PRIu64 " enrolled, %" PRIu64
	       " quarantined, %" PRIu64 " parked, %" PRIu64 " revoked)\n",
	       s->devices, s->expected, s->enrolled, s->quarantined, s->parked, s->revoked);
	printf("certificates  %" PRIu64 " in force, %" PRIu64 " end within 14 days\n",
	       s->certificates, s->expiring);
	printf("on now        %" PRIu64 " sessions\n", s->live_sessions);
	printf("zones, NAS    %" PRIu64 ", %" PRIu64 "\n", s->zones, s->nas);
	printf("disconnects   %" PRIu64 " open, %" PRIu64
	       " pumps of which a NAS could not be told\n",
	       s->orders_open, s->untold);
	if (s->approvals)
		printf("approvals     %" PRIu64 " requests wait: pumpctl enroll list\n",
		       s->approvals);
	if (s->held || s->lost)
		printf("restored      %" PRIu64 " pumps held back, %" PRIu64 " certificates lost\n",
		       s->held, s->lost);
	printf("recalls       %" PRIu64 " running, %" PRIu64 " paused, %" PRIu64
	       " wait for a second admin%s\n",
	       s->recalls_running, s->recalls_paused, s->recalls_requested,
	       s->recall_alone ? "; THE RULE OF TWO PERSONS IS OFF" : "");
	if (s->waiting)
		printf("waiting       %" PRIu64 " changes until their pump is idle: pumpctl pump "
		       "waiting\n",
		       s->waiting);
	printf("reports       %" PRIu64 " pumps within a day", s->reporting);
	if (*s->min_version)
		printf(", %" PRIu64 " of them below version %s", s->below_version, s->min_version);
	putchar('\n');
	printf("alarms        %" PRIu64 " open\n", s->open_alarms);
	glass_report_print(&h->glass);
	printf("audit         %" PRIu64 " rows\n", s->audit_rows);
	printf("registryd     since %s, schema %u/%u, %" PRIu64 " + %" PRIu64 " KiB\n", since,
	       s->registry_schema, s->sessions_schema, s->registry_bytes / 1024,
	       s->sessions_bytes / 1024);
	printf("signerd       %s\n", h->probe.signer ? "answers" : "DOES NOT ANSWER");
	printf("enrolld       %s\n", h->probe.est ? "listens" : "DOES NOT LISTEN");
	printf("radiusd       %s\n", h->probe.radius ? "listens" : "DOES NOT LISTEN");
	printf("radsecd       %s\n", h->radsec_off     ? "off"
				     : h->probe.radsec ? "listens"
						       : "DOES NOT LISTEN");
	printf("credd         %s\n", h->probe.cred ? "answers" : "DOES NOT ANSWER");
	printf("clinicians    %s\n", h->probe.login ? "listens" : "DOES NOT LISTEN");
	if (h->probe.cred)
		printf("logins        %" PRIu64 " people (%" PRIu64 " disabled), %" PRIu64
		       " logged in; since the start %" PRIu64 " accepted, %" PRIu64
		       " refused, %" PRIu64 " throttled\n",
		       h->probe.cred_status.users, h->probe.cred_status.disabled,
		       h->probe.cred_status.sessions, h->probe.cred_status.accepted,
		       h->probe.cred_status.refused, h->probe.cred_status.throttled);
	printf("dispatchd     %s\n", s->dispatcher_present ? "connected" : "NOT CONNECTED");
	certs_print(h, clock_wall_ms());
	for (size_t i = 0; i < h->n_wrong; i++)
		printf("wrong: %s\n", h->wrong[i]);
}

static json_t *health_to_json(const struct health *h)
{
	json_t *j = record_to_json(&record_status, &h->status);
	json_t *wrong = json_array();
	char server_ca[CLOCK_TEXT_MAX], device_ca[CLOCK_TEXT_MAX];

	clock_format(h->server_ca_ends, server_ca);
	clock_format(h->device_ca_ends, device_ca);
	for (size_t i = 0; i < h->n_wrong; i++)
		json_array_append_new(wrong, json_string(h->wrong[i]));
	if (!j || json_object_set_new(j, "healthy", json_boolean(h->n_wrong == 0)) ||
	    json_object_set_new(j, "supervised", json_boolean(h->probe.supervised)) ||
	    json_object_set_new(j, "signer_answers", json_boolean(h->probe.signer)) ||
	    json_object_set_new(j, "est_listens", json_boolean(h->probe.est)) ||
	    json_object_set_new(j, "radius_listens", json_boolean(h->probe.radius)) ||
	    json_object_set_new(j, "server_certificates", certs_to_json(h)) ||
	    json_object_set_new(j, "server_ca_ends", json_string(server_ca)) ||
	    json_object_set_new(j, "server_ca_rolls_over", json_boolean(h->rolls_over)) ||
	    json_object_set_new(j, "device_ca_ends", json_string(device_ca)) ||
	    json_object_set_new(j, "device_ca_rolls_over", json_boolean(h->device_rolls_over)) ||
	    json_object_set_new(j, "logins",
				h->probe.cred
					? record_to_json(&record_cred_status, &h->probe.cred_status)
					: json_null()) ||
	    json_object_set_new(j, "login_listens", json_boolean(h->probe.login)) ||
	    json_object_set_new(j, "radsec_listens", json_boolean(h->probe.radsec)) ||
	    json_object_set_new(j, "break_glass", glass_report_json(&h->glass)) ||
	    json_object_set_new(j, "wrong", wrong))
		return NULL;
	return j;
}

static int status_run(const struct call *call)
{
	AUTO_IPC_CLIENT c = NULL;
	struct health h = {0};
	struct list_query q = {0};
	struct settings s;
	int rc = settings_read(home_dir(call->home), &s);

	if (!rc)
		rc = registry_open(call, &c);
	if (!rc)
		rc = registry_status(c, &q, &h.status, REGISTRY_TIMEOUT_MS);
	if (rc)
		return registry_failure(call, rc);
	probe_take(&s, &h.probe);
	certs_take(&h, &s);
	glass_report_take(call, &h.glass);
	h.radsec_off = !s.radsec_port;
	health_judge(&h, clock_wall_ms());
	if (!call->json)
		health_print(&h);
	else if ((rc = json_show(health_to_json(&h))))
		return report_failure(rc);
	return h.n_wrong ? EXIT_FAILED : EXIT_DONE;
}

const struct verb verb_status = {
	.name = "status",
	.operands = "",
	.summary = "Show counts and processes; status 1 when something is wrong",
	.examples = {"status", "status --json", "--home /tmp/try status"},
	.run = status_run,
};
