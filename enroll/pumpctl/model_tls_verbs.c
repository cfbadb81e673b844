/* SPDX-License-Identifier: BSD-2-Clause */
/* pumpctl model check | tls: who would be below a floor of TLS, and setting one for a model. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "enroll/pumpctl/model_check.h"
#include "enroll/pumpctl/registry.h"
#include "enroll/pumpctl/report.h"
#include "enroll/pumpctl/verbs.h"
#include "policies/tls_profile.h"

#define KEY_CHARS "abcdefghijklmnopqrstuvwxyz0123456789-"

/* 1.2 or 1.3: below that this server lets nobody on. */
static int min_parse(const char *option, const char *text, uint32_t *out)
{
	uint32_t v = tls_version_parse(text);

	if (v != 12 && v != 13)
		return err_set(ERR_INVALID, "--%s %.16s: 1.2 or 1.3", option, text);
	*out = v;
	return 0;
}

static int model_take(const struct call *call, char out[LABEL_SIZE])
{
	if (!*call->operands[0] || str_copy(out, LABEL_SIZE, call->operands[0]))
		return err_set(ERR_INVALID, "a model has 1 to %d characters", LABEL_SIZE - 1);
	return 0;
}

static int wish_take(const struct call *call, struct tls_wish *w)
{
	const char *min = call_value(call, "tls-min"), *key = call_value(call, "key");
	int rc = 0;

	if (call_flag(call, "all") == (call->n_operands == 1))
		return err_set(ERR_INVALID, "give a MODEL, or --all");
	if (!min && !key)
		return err_set(ERR_INVALID, "say what would be asked: --tls-min V, --key KIND");
	if (call->n_operands)
		rc = model_take(call, w->model);
	if (!rc && min)
		rc = min_parse("tls-min", min, &w->min);
	if (!rc && key &&
	    (!*key || strspn(key, KEY_CHARS) != strlen(key) ||
	     (strncmp(key, "ec", 2) != 0 && strncmp(key, "rsa", 3) != 0) ||
	     str_copy(w->key, sizeof(w->key), key)))
		rc = err_set(ERR_INVALID,
			     "--key %.20s: ec, rsa or one of them as in `pumpctl cert "
			     "list`: ec-p256, rsa-3072",
			     key);
	return rc;
}

static void tally_print(const struct call *call, const struct tls_tally *t)
{
	if (call->json) {
		printf("%s], \"pumps\": %" PRIu64 ", \"pass\": %" PRIu64 ", \"fail\": %" PRIu64
		       ", \"unknown\": %" PRIu64 "}\n",
		       t->fail || t->unknown ? "\n" : "", t->pass + t->fail + t->unknown, t->pass,
		       t->fail, t->unknown);
		return;
	}
	printf("%s%" PRIu64 " of %" PRIu64 " pumps with a certificate would fail, %" PRIu64
	       " would pass, %" PRIu64 " have not been seen since this is recorded\n",
	       t->fail || t->unknown ? "\n" : "", t->fail, t->pass + t->fail + t->unknown, t->pass,
	       t->unknown);
}

static int model_check_run(const struct call *call)
{
	AUTO_IPC_CLIENT c = NULL;
	struct tls_wish wish = {0};
	struct tls_tally t = {0};
	int rc;

	if (wish_take(call, &wish))
		return report_usage();
	rc = registry_open(call, &c);
	if (!rc && call->json)
		fputs("{\"rows\": [", stdout);
	if (!rc)
		rc = model_check_show(call, c, &wish, call_flag(call, "passing"), &t);
	if (rc)
		return registry_failure(call, rc);
	tally_print(call, &t);
	if (!t.pass && !t.fail && !t.unknown)
		return EXIT_NOTHING;
	return t.fail ? EXIT_FAILED : t.unknown ? EXIT_TRY_AGAIN : EXIT_DONE;
}

static const struct option_spec model_check_options[] = {
	{"all", 0, OPTION_FLAG, NULL, "pumps of all models", false},
	{"tls-min", 0, OPTION_VALUE, "V", "if they had to speak TLS V: 1.2 or 1.3", false},
	{"key", 0, OPTION_VALUE, "KIND", "if they had to have such a key: ec, rsa, ec-p384", false},
	{"passing", 0, OPTION_FLAG, NULL, "show those too that would pass", false},
};

const struct verb verb_model_check = {
	.group = "model",
	.name = "check",
	.operands = "[MODEL]",
	.n_operands_more = 1,
	.summary = "Show which pumps would fail if TLS were tightened; changes nothing",
	VERB_OPTIONS(model_check_options),
	.examples = {"model check P1 --tls-min 1.3", "model check --all --tls-min 1.3 --json",
		     "model check --all --key ec --passing"},
	.run = model_check_run,
};

static int floor_take(const struct call *call, struct model_tls *m)
{
	const char *min = call_value(call, "min");
	int rc = model_take(call, m->model);

	return rc || !strcmp(min, "none") ? rc : min_parse("min", min, &m->min);
}

/* Shows whom it would concern. False: it is not to be done. */
static int floor_show(const struct call *call, struct ipc_client *c, struct model_tls *m,
		      bool *go_out)
{
	struct tls_wish wish = {.min = m->min};
	struct tls_tally t = {0};
	int rc = 0;

	memcpy(wish.model, m->model, sizeof(wish.model));
	if (m->min) {
		if (call->json)
			fputs("{\"rows\": [", stdout);
		rc = model_check_show(call, c, &wish, false, &t);
		if (!rc)
			tally_print(call, &t);
	}
	if (rc)
		return rc;
	m->below = t.fail;
	*go_out = false;
	if (t.fail && !call_flag(call, "anyway"))
		report_note("nothing is changed: these pumps would get into the quarantine zone "
			    "with their next authentication; if that is meant, add --anyway");
	else if (call_flag(call, "dry-run"))
		report_note("nothing is changed");
	else
		*go_out = true;
	return 0;
}

static int model_tls_run(const struct call *call)
{
	AUTO_IPC_CLIENT c = NULL;
	struct model_tls m = {0};
	bool go = false;
	int rc;

	if (floor_take(call, &m))
		return report_usage();
	rc = registry_open(call, &c);
	if (!rc)
		rc = floor_show(call, c, &m, &go);
	if (!rc && !go)
		return m.below ? EXIT_FAILED : EXIT_DONE;
	if (!rc)
		rc = registry_model_tls_set(c, &m, REGISTRY_TIMEOUT_MS);
	if (rc)
		return registry_failure(call, rc);
	if (m.min)
		report_line(call,
			    "model %s: TLS %s at least; a pump below it gets into the "
			    "quarantine zone, from its next authentication on",
			    m.model, tls_version_name(m.min));
	else
		report_line(call,
			    "model %s: every version that this server speaks, from each "
			    "pump's next authentication on",
			    m.model);
	return EXIT_DONE;
}

static const struct option_spec model_tls_options[] = {
	{"min", 0, OPTION_VALUE, "V", "1.2, 1.3, or none: as this server allows", true},
	{"anyway", 0, OPTION_FLAG, NULL, "also if pumps are known that are below it", false},
	{"dry-run", 0, OPTION_FLAG, NULL, "only show whom it would concern", false},
};

const struct verb verb_model_tls = {
	.group = "model",
	.name = "tls",
	.operands = "MODEL",
	.n_operands = 1,
	.summary = "Say which version of TLS pumps of a model must speak at least",
	VERB_OPTIONS(model_tls_options),
	.examples = {"model tls P1 --min 1.3 --dry-run", "model tls P1 --min 1.3",
		     "model tls P1 --min none"},
	.run = model_tls_run,
};
