/* SPDX-License-Identifier: BSD-2-Clause */
/* pumpctl maker add | list | enable | disable | remove: whose birth certificates stand for a token.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/daemon.h"
#include "enroll/pumpctl/maker_anchors.h"
#include "enroll/pumpctl/maker_file.h"
#include "enroll/pumpctl/registry.h"
#include "enroll/pumpctl/report.h"
#include "enroll/pumpctl/verbs.h"

#define PEM_MAX 65536

/* All that a maker's anchor must not be. */
static int ours_read(const struct call *call, struct buf *pem)
{
	static const char *const files[] = {"trust/device.pem", "trust/server.pem"};
	char path[PATH_MAX];
	int rc = 0;

	for (size_t i = 0; !rc && i < 2; i++) {
		rc = home_path(home_dir(call->home), files[i], path);
		if (!rc)
			rc = buf_read_file(pem, path);
	}
	return rc;
}

static int anchors_read(const struct call *call, struct maker *m)
{
	const char *path = call_value(call, "anchor");
	AUTO_BUF pem = {.max = PEM_MAX};
	AUTO_BUF ours = {.max = PEM_MAX};
	AUTO_BUF der = {.max = sizeof(m->anchors.data)};
	int rc = ours_read(call, &ours);

	if (rc || (rc = buf_read_file(&pem, path)))
		return rc;
	rc = maker_anchors_build(&pem, &ours, clock_wall_ms() / 1000, &der);
	if (rc)
		return err_add(rc, "%s", path);
	memcpy(m->anchors.data, der.data, der.len);
	m->anchors.len = (uint32_t)der.len;
	return 0;
}

/* "M1, M2=OID" without the blanks around commas. */
static int models_take(const char *text, char *out, size_t size)
{
	size_t n = 0;

	while (*text) {
		size_t len = strcspn(text, ",");
		size_t skip = strspn(text, " ");
		size_t end = len;

		skip = skip < len ? skip : len;
		while (end > skip && text[end - 1] == ' ')
			end--;
		if (n + end - skip + 2 > size)
			return err_set(ERR_LIMIT, "--models: longer than %zu characters", size - 1);
		memcpy(out + n, text + skip, end - skip);
		n += end - skip;
		if (text[len])
			out[n++] = ',';
		text += len + (text[len] == ',');
	}
	out[n] = '\0';
	return n ? 0 : err_set(ERR_INVALID, "--models: which models may the maker vouch for?");
}

static int name_take(const struct call *call, struct maker *m)
{
	if (!*call->operands[0] || str_copy(m->name, sizeof(m->name), call->operands[0]))
		return err_set(ERR_INVALID, "a maker's name has 1 to %zu characters",
			       sizeof(m->name) - 1);
	return 0;
}

/* What FreeRADIUS reads, brought up to what the registry says. */
static int publish(const struct call *call, struct ipc_client *c, bool *changed)
{
	struct maker *makers = calloc(MAKERS_MAX, sizeof(*makers));
	const struct list_query all = {.limit = 0};
	struct settings s;
	size_t n = 0;
	int rc = makers ? settings_read(home_dir(call->home), &s)
			: err_set(ERR_NOMEM, "no memory for makers");

	if (!rc)
		rc = registry_maker_trust(c, &all, makers, MAKERS_MAX, &n, REGISTRY_TIMEOUT_MS);
	if (!rc)
		rc = maker_file_write(&s, makers, n, changed);
	free(makers);
	return rc;
}

#define RESTART "restart radiusd: systemctl restart pumpgate-radiusd (or pumpctl run)"

/* After a change of the makers. The change itself is done: this only says what is left to do. */
static void publish_after(const struct call *call, struct ipc_client *c)
{
	bool changed = false;

	if (publish(call, c, &changed))
		report_note("radius/makers.pem is as it was (%s); as root: pumpctl maker publish",
			    err_text());
	else if (changed)
		report_note("for onboarding by EAP " RESTART "; EST needs none");
}

static int maker_publish_run(const struct call *call)
{
	AUTO_IPC_CLIENT c = NULL;
	bool changed = false;
	int rc = registry_open(call, &c);

	if (!rc)
		rc = publish(call, c, &changed);
	if (!rc && !changed)
		rc = err_set(ERR_UNCHANGED, "radius/makers.pem is right already");
	if (rc)
		return registry_failure(call, rc);
	if (!call->json)
		printf("radius/makers.pem: written; " RESTART "\n");
	return EXIT_DONE;
}

const struct verb verb_maker_publish = {
	.group = "maker",
	.name = "publish",
	.operands = "",
	.summary = "Write the enabled makers' anchors where FreeRADIUS reads them at its start",
	.examples = {"maker publish", "--home /tmp/try maker publish", "maker publish --json"},
	.run = maker_publish_run,
};

static int maker_add_run(const struct call *call)
{
	AUTO_IPC_CLIENT c = NULL;
	struct maker m = {.enabled = true};
	int rc;

	if (name_take(call, &m) ||
	    models_take(call_value(call, "models"), m.models, sizeof(m.models)))
		return report_usage();
	rc = anchors_read(call, &m);
	if (rc)
		return registry_failure(call, rc);
	rc = registry_open(call, &c);
	if (!rc)
		rc = registry_maker_add(c, &m, REGISTRY_TIMEOUT_MS);
	if (rc)
		return registry_failure(call, rc);
	publish_after(call, c);
	m.anchors.len = 0;
	if (call->json)
		return record_show(call, &record_maker, &m);
	printf("maker %s: its birth certificates enrol expected pumps of model %s\n", m.name,
	       m.models);
	return EXIT_DONE;
}

static const struct option_spec add_options[] = {
	{"anchor", 0, OPTION_VALUE, "FILE", "root or issuing CA of its birth certificates (PEM)",
	 true},
	{"models", 0, OPTION_VALUE, "M,M=OID",
	 "models that it may vouch for; with an OID: only with that hwType", true},
};

const struct verb verb_maker_add = {
	.group = "maker",
	.name = "add",
	.operands = "NAME",
	.n_operands = 1,
	.summary = "Take a maker's birth certificates (IDevID) for its pumps' first enrolment",
	VERB_OPTIONS(add_options),
	.examples = {"maker add Acme --anchor acme-root.pem --models 'One,Two'",
		     "maker add Acme --anchor acme.pem --models One=1.3.6.1.4.1.99999.1",
		     "maker add Acme --anchor acme.pem --models One --json"},
	.run = maker_add_run,
};

static int maker_list_run(const struct call *call)
{
	static const struct column columns[] = {
		{"MAKER", "name"},  {"ENABLED", "enabled"}, {"MODELS", "models"},
		{"PUMPS", "pumps"}, {"ADDED", "added_at"},  {"ANCHORS (SHA-256)", "anchor_sha256"},
	};
	const struct listing l = {
		REGISTRY_MAKER_LIST,
		&record_maker,
		columns,
		6,
		"name",
		"no maker yet; do: pumpctl maker add NAME --anchor FILE --models M"};
	struct list_query q = {0};

	return listing_show(call, &l, &q, 0);
}

const struct verb verb_maker_list = {
	.group = "maker",
	.name = "list",
	.operands = "",
	.summary = "List the makers whose birth certificates are taken",
	.examples = {"maker list", "maker list --json", "--home /tmp/try maker list"},
	.run = maker_list_run,
};

static int change(const struct call *call, const char *done,
		  int (*tell)(struct ipc_client *, const struct maker *, int), bool enabled)
{
	AUTO_IPC_CLIENT c = NULL;
	struct maker m = {.enabled = enabled};
	int rc;

	if (name_take(call, &m))
		return report_usage();
	rc = registry_open(call, &c);
	if (!rc)
		rc = tell(c, &m, REGISTRY_TIMEOUT_MS);
	if (rc)
		return registry_failure(call, rc);
	publish_after(call, c);
	if (!call->json)
		printf("maker %s: %s; pumps that are enrolled stay so\n", m.name, done);
	return EXIT_DONE;
}

static int maker_enable_run(const struct call *call)
{
	return change(call, "enabled", registry_maker_enable, true);
}

static int maker_disable_run(const struct call *call)
{
	return change(call, "disabled", registry_maker_enable, false);
}

static int maker_remove_run(const struct call *call)
{
	return change(call, "removed", registry_maker_remove, false);
}

const struct verb verb_maker_enable = {
	.group = "maker",
	.name = "enable",
	.operands = "NAME",
	.n_operands = 1,
	.summary = "Take a disabled maker's birth certificates again",
	.examples = {"maker enable Acme", "--home /tmp/try maker enable Acme",
		     "maker enable Acme --json"},
	.run = maker_enable_run,
};

const struct verb verb_maker_disable = {
	.group = "maker",
	.name = "disable",
	.operands = "NAME",
	.n_operands = 1,
	.summary = "Take no more birth certificates of a maker, for now",
	.examples = {"maker disable Acme", "--home /tmp/try maker disable Acme",
		     "maker disable Acme --json"},
	.run = maker_disable_run,
};

const struct verb verb_maker_remove = {
	.group = "maker",
	.name = "remove",
	.operands = "NAME",
	.n_operands = 1,
	.summary = "Forget a maker and its anchors",
	.examples = {"maker remove Acme", "--home /tmp/try maker remove Acme",
		     "maker remove Acme --json"},
	.run = maker_remove_run,
};
