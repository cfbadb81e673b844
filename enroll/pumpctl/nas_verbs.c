/* SPDX-License-Identifier: BSD-2-Clause */
/* pumpctl nas add | list: access points and switches. */
#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#include "base/secret.h"
#include "enroll/pumpctl/nas_secret.h"
#include "enroll/pumpctl/registry.h"
#include "enroll/pumpctl/report.h"
#include "enroll/pumpctl/verbs.h"

#define DAS_PORT 3799	 /* RFC 5176 2.3 */
#define RADSEC_PORT 2083 /* RFC 6614 2.1; for a NAS: over the connection that it opened */

/* A NAS that speaks RadSec has no secret, needs no address, and takes Disconnect-Requests over its
 * own connection or not at all. */
static int radsec_check(const struct call *call, unsigned long port)
{
	if (call_value(call, "secret-file") || call_value(call, "secret-out"))
		return err_set(ERR_INVALID, "a NAS that speaks RadSec has no secret: leave "
					    "--secret-file and --secret-out out");
	if (port != 0 && port != RADSEC_PORT)
		return err_set(ERR_INVALID,
			       "a NAS that speaks RadSec takes Disconnect-Requests over its own "
			       "connection; only --das-port 0 (not at all) can be said");
	return 0;
}

static int nas_take(const struct call *call, struct nas *n)
{
	const char *ip = call_value(call, "ip");
	uint8_t raw[16];
	unsigned long port;
	int rc = str_copy(n->name, sizeof(n->name), call->operands[0]);

	if (rc || !n->name[0])
		return err_set(ERR_INVALID, "a NAS's name has 1 to %zu characters",
			       sizeof(n->name) - 1);
	n->radsec = call_flag(call, "radsec");
	if (!ip && !n->radsec)
		return err_set(ERR_INVALID, "say with --ip where its packets come from, or that it "
					    "speaks --radsec");
	if (ip && (inet_pton(AF_INET, ip, raw) != 1 && inet_pton(AF_INET6, ip, raw) != 1))
		return err_set(ERR_INVALID, "--ip %.45s is no IP address", ip);
	if (ip && str_copy(n->ip, sizeof(n->ip), ip))
		return err_set(ERR_INVALID, "--ip %.45s is no IP address", ip);
	if (call_value(call, "site") &&
	    str_copy(n->site, sizeof(n->site), call_value(call, "site")))
		return err_set(ERR_INVALID, "--site: at most %zu characters", sizeof(n->site) - 1);
	rc = call_number(call, "das-port", n->radsec ? RADSEC_PORT : DAS_PORT, 0, 65535, &port);
	if (!rc && n->radsec)
		rc = radsec_check(call, port);
	n->das_port = (uint32_t)port;
	n->enabled = true;
	return rc;
}

static int nas_add_run(const struct call *call)
{
	AUTO_IPC_CLIENT c = NULL;
	struct nas n = {0};
	int rc;

	if (nas_take(call, &n) || (!n.radsec && nas_secret_check(call)))
		return report_usage();
	rc = n.radsec ? 0 : nas_secret_take(call, &n);
	if (!rc) {
		rc = registry_open(call, &c);
		if (!rc)
			rc = registry_nas_add(c, &n, REGISTRY_TIMEOUT_MS);
		nas_secret_settle(call, &n, rc);
	}
	secret_wipe(&n.secret, sizeof(n.secret));
	if (rc)
		return registry_failure(call, rc);
	if (nas_secret_on_stdout(call))
		return EXIT_DONE;
	if (call->json)
		return record_show(call, &record_nas, &n);
	if (n.radsec)
		printf("NAS %s, by certificate (next: pumpctl nas certificate %s): ", n.name,
		       n.name);
	else
		printf("NAS %s at %s: ", n.name, n.ip);
	if (n.das_port && n.radsec)
		puts("Disconnect-Requests go over its own connection");
	else if (n.das_port)
		printf("Disconnect-Requests go to port %u\n", n.das_port);
	else
		puts("takes no Disconnect-Requests; a revoked pump stays until its session ends");
	return EXIT_DONE;
}

static const struct option_spec nas_add_options[] = {
	{"ip", 0, OPTION_VALUE, "ADDR", "the address that its packets come from", false},
	{"secret-file", 0, OPTION_VALUE, "F", "its RADIUS shared secret; - for standard input",
	 false},
	{"secret-out", 0, OPTION_VALUE, "F", "make one, and write it there; - for standard output",
	 false},
	{"radsec", 0, OPTION_FLAG, NULL, "it speaks RADIUS over TLS, and is known by certificate",
	 false},
	{"das-port", 0, OPTION_VALUE, "N", "where it takes Disconnect-Requests (3799); 0: nowhere",
	 false},
	{"site", 0, OPTION_VALUE, "S", "where it stands: see nas set", false},
};

const struct verb verb_nas_add = {
	.group = "nas",
	.name = "add",
	.operands = "NAME",
	.n_operands = 1,
	.summary = "Add an access point or switch, by address and secret or for RadSec",
	VERB_OPTIONS(nas_add_options),
	.examples = {"nas add ap-icu-1 --ip 192.0.2.10 --secret-file ap-icu-1.secret",
		     "nas add sw-2 --radsec",
		     "nas add sw-3 --ip 192.0.2.30 --secret-out sw-3.secret"},
	.run = nas_add_run,
};

static int nas_list_run(const struct call *call)
{
	static const struct column columns[] = {
		{"NAS", "name"},
		{"ADDRESS", "ip"},
		{"DAS PORT", "das_port"},
		{"RADSEC", "radsec"},
		{"ENABLED", "enabled"},
		{"SITE", "site"},
		{"LAST SEEN", "last_seen"},
	};
	const struct listing l = {REGISTRY_NAS_LIST,
				  &record_nas,
				  columns,
				  7,
				  "name",
				  "no NAS yet; do: pumpctl nas add NAME --ip ADDR --secret-out F"};
	struct list_query q = {0};

	return listing_show(call, &l, &q, 0);
}

const struct verb verb_nas_list = {
	.group = "nas",
	.name = "list",
	.operands = "",
	.summary = "List access points and switches",
	.examples = {"nas list", "nas list --json", "--home /tmp/try nas list"},
	.run = nas_list_run,
};
