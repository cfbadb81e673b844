/* SPDX-License-Identifier: BSD-2-Clause */
/* pumpctl model list | ports: what pumps of a model may have open. */
#include <stdio.h>
#include <string.h>

#include "enroll/pumpctl/registry.h"
#include "enroll/pumpctl/report.h"
#include "enroll/pumpctl/verbs.h"
#include "policies/port_profile.h"

static int model_list_run(const struct call *call)
{
	static const struct column columns[] = {
		{"MODEL", "model"},  {"PUMPS", "pumps"},     {"TLS AT LEAST", "tls_min"},
		{"ANY PORT", "any"}, {"ALLOWED", "allowed"}, {"SET", "set_at"},
		{"BY", "set_by"},
	};
	const struct listing l = {REGISTRY_MODEL_LIST,
				  &record_model_ports,
				  columns,
				  7,
				  "model",
				  "no pump is in the inventory yet"};
	struct list_query q = {0};

	return listing_show(call, &l, &q, 0);
}

const struct verb verb_model_list = {
	.group = "model",
	.name = "list",
	.operands = "",
	.summary = "List the models of the inventory, the TLS they must speak and the ports they "
		   "may have open",
	.examples = {"model list", "model list --json", "--home /tmp/try model list"},
	.run = model_list_run,
};

static int ports_take(const struct call *call, struct model_ports *m)
{
	const char *allow = call_value(call, "allow");

	m->any = call_flag(call, "any");
	if (m->any == (allow != NULL))
		return err_set(ERR_INVALID, "give --allow LIST, or --any");
	if (!*call->operands[0] || str_copy(m->model, sizeof(m->model), call->operands[0]))
		return err_set(ERR_INVALID, "a model has 1 to %zu characters",
			       sizeof(m->model) - 1);
	return m->any ? 0
		      : port_list_parse(allow, REPORT_PORTS_MAX, m->allowed, sizeof(m->allowed));
}

static int model_ports_run(const struct call *call)
{
	AUTO_IPC_CLIENT c = NULL;
	struct model_ports m = {0};
	int rc;

	if (ports_take(call, &m))
		return report_usage();
	rc = registry_open(call, &c);
	if (!rc)
		rc = registry_model_set(c, &m, REGISTRY_TIMEOUT_MS);
	if (rc)
		return registry_failure(call, rc);
	if (m.any)
		report_line(call, "model %s: any port", m.model);
	else
		report_line(call,
			    "model %s: %s; what else is open is an alarm with the pump's "
			    "next report",
			    m.model, *m.allowed ? m.allowed : "no port at all");
	return EXIT_DONE;
}

static const struct option_spec model_ports_options[] = {
	{"allow", 0, OPTION_VALUE, "LIST", "these may be open: tcp/22,udp/161; or none", false},
	{"any", 0, OPTION_FLAG, NULL, "no longer look at its ports", false},
};

const struct verb verb_model_ports = {
	.group = "model",
	.name = "ports",
	.operands = "MODEL",
	.n_operands = 1,
	.summary = "Say which ports pumps of a model may have open",
	VERB_OPTIONS(model_ports_options),
	.examples = {"model ports P1 --allow tcp/443,udp/161", "model ports P1 --allow none",
		     "model ports P1 --any"},
	.run = model_ports_run,
};
