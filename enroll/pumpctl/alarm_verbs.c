/* SPDX-License-Identifier: BSD-2-Clause */
/* pumpctl alarm list | show | ack, and what tells pumps that move from copied keys: pump mac. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "enroll/pumpctl/query.h"
#include "enroll/pumpctl/record_json.h"
#include "enroll/pumpctl/registry.h"
#include "enroll/pumpctl/report.h"
#include "enroll/pumpctl/verbs.h"
#include "policies/anomaly.h"

static int id_take(const struct call *call, uint64_t *out)
{
	const char *text = call->operands[0];
	char *end;

	errno = 0;
	*out = strtoull(text, &end, 10);
	if (errno || end == text || *end || *text == '-' || *text == '+' || !*out)
		return err_set(ERR_INVALID,
			       "an alarm has a number, as in: pumpctl alarm list; not '%.32s'",
			       text);
	return 0;
}

static int alarm_list_run(const struct call *call)
{
	static const struct column columns[] = {
		{"ALARM", "id"},      {"STATE", "state"},  {"KIND", "kind"},
		{"PUMP", "device"},   {"NAS", "nas"},	   {"TIMES", "count"},
		{"ACTION", "action"}, {"LAST", "last_at"}, {"WHAT", "detail"},
	};
	const struct listing l = {REGISTRY_ALARM_LIST, &record_alarm, columns, 9, "key",
				  "no alarm"};
	struct list_query q = {.live_only = !call_flag(call, "all")};

	if (query_filters_take(call, &q))
		return report_usage();
	return listing_show(call, &l, &q, 0);
}

static const struct option_spec alarm_list_options[] = {
	{"all", 'a', OPTION_FLAG, NULL, "acknowledged ones too", false},
	{"pump", 0, OPTION_VALUE, "SERIAL", "of this pump", false},
	{"nas", 0, OPTION_VALUE, "NAME", "that name this NAS", false},
};

const struct verb verb_alarm_list = {
	.group = "alarm",
	.name = "list",
	.operands = "",
	.summary = "List open alarms about copied keys, newest first",
	VERB_OPTIONS(alarm_list_options),
	.examples = {"alarm list", "alarm list --all --pump PG-000123",
		     "alarm list --nas ap-icu-1 --json"},
	.run = alarm_list_run,
};

/* The next step with the alarm's own pump and NAS in the words' places. */
static void next_print(const struct alarm *a, const char *step)
{
	while (*step) {
		bool pump = !strncmp(step, "SERIAL", 6), nas = !strncmp(step, "NAS", 3);

		if (pump)
			fputs(a->device, stdout);
		else if (nas)
			fputs(a->nas, stdout);
		else
			putchar(*step);
		step += pump ? 6 : nas ? 3 : 1;
	}
	putchar('\n');
}

static int alarm_print(const struct call *call, const struct alarm *a)
{
	enum anomaly_kind kind = anomaly_parse(a->kind);
	struct alarm plain = *a;

	if (call->json) {
		json_t *j = record_to_json(&record_alarm, a);

		if (j && json_object_set_new(j, "means", json_string(anomaly_sentence(kind)))) {
			json_decref(j);
			j = NULL;
		}
		return json_show(j);
	}
	plain.key[0] = '\0';
	record_print(stdout, &record_alarm, &plain);
	puts(anomaly_sentence(kind));
	if (!strcmp(a->state, "open")) {
		fputs("next: ", stdout);
		next_print(a, anomaly_next_step(kind));
		printf("when settled: pumpctl alarm ack %" PRIu64 "\n", a->id);
	}
	return 0;
}

static int alarm_ask(struct ipc_client *c, uint64_t id, struct alarm *out)
{
	struct id_query q = {.id = id};

	return registry_alarm_show(c, &q, out, REGISTRY_TIMEOUT_MS);
}

static int alarm_show_run(const struct call *call)
{
	AUTO_IPC_CLIENT c = NULL;
	struct alarm a;
	uint64_t id;
	int rc;

	if (id_take(call, &id))
		return report_usage();
	rc = registry_open(call, &c);
	if (!rc)
		rc = alarm_ask(c, id, &a);
	if (rc)
		return registry_failure(call, rc);
	return alarm_print(call, &a) ? report_failure(ERR_IO) : EXIT_DONE;
}

const struct verb verb_alarm_show = {
	.group = "alarm",
	.name = "show",
	.operands = "NUMBER",
	.n_operands = 1,
	.summary = "Show one alarm, what it means, and the next step",
	.examples = {"alarm show 17", "alarm show 17 --json", "--home /tmp/try alarm show 17"},
	.run = alarm_show_run,
};

static int alarm_ack_run(const struct call *call)
{
	AUTO_IPC_CLIENT c = NULL;
	const char *note = call_value(call, "note");
	struct alarm_ack ack = {0};
	struct alarm a;
	int rc;

	if (id_take(call, &ack.id))
		return report_usage();
	if (note && str_copy(ack.note, sizeof(ack.note), note)) {
		err_text_set("--note: at most %zu characters", sizeof(ack.note) - 1);
		return report_usage();
	}
	rc = registry_open(call, &c);
	if (!rc)
		rc = registry_alarm_ack(c, &ack, REGISTRY_TIMEOUT_MS);
	if (rc)
		return registry_failure(call, rc);
	if (call->json) {
		rc = alarm_ask(c, ack.id, &a);
		return rc ? registry_failure(call, rc) : record_show(call, &record_alarm, &a);
	}
	report_line(call, "alarm %" PRIu64 " is acknowledged; the same again is a new alarm",
		    ack.id);
	return EXIT_DONE;
}

static const struct option_spec alarm_ack_options[] = {
	{"note", 0, OPTION_VALUE, "TEXT", "what it turned out to be, for the audit", false},
};

const struct verb verb_alarm_ack = {
	.group = "alarm",
	.name = "ack",
	.operands = "NUMBER",
	.n_operands = 1,
	.summary = "Acknowledge an alarm that is settled",
	VERB_OPTIONS(alarm_ack_options),
	.examples = {"alarm ack 17 --note \"network card replaced\"", "alarm ack 17",
		     "alarm ack 17 --json"},
	.run = alarm_ack_run,
};

/* ---- further network cards of a pump ---- */

static int pump_mac_run(const struct call *call)
{
	AUTO_IPC_CLIENT c = NULL;
	struct list_query q = {0};
	struct device_mac m = {.remove = call_flag(call, "remove")};
	struct device d;
	int rc;

	if (query_pump_take(call, &q))
		return report_usage();
	memcpy(m.device, q.device, sizeof(m.device));
	if (str_copy(m.mac, sizeof(m.mac), call->operands[1])) {
		err_text_set("'%.32s' is no MAC address", call->operands[1]);
		return report_usage();
	}
	rc = registry_open(call, &c);
	if (!rc)
		rc = registry_device_mac(c, &m, REGISTRY_TIMEOUT_MS);
	if (!rc && call->json)
		rc = registry_device_show(c, &q, &d, REGISTRY_TIMEOUT_MS);
	if (rc)
		return registry_failure(call, rc);
	if (call->json)
		return record_show(call, &record_device, &d);
	report_line(call,
		    m.remove ? "%s is no address of pump %s any more"
			     : "%s is another address of pump %s: no reason for an alarm",
		    m.mac, m.device);
	return EXIT_DONE;
}

static const struct option_spec pump_mac_options[] = {
	{"remove", 0, OPTION_FLAG, NULL, "it is the pump's no more", false},
};

const struct verb verb_pump_mac = {
	.group = "pump",
	.name = "mac",
	.operands = "SERIAL MAC",
	.n_operands = 2,
	.summary = "Say that a pump has another network card, so that it raises no alarm",
	VERB_OPTIONS(pump_mac_options),
	.examples = {"pump mac PG-000123 02:00:00:00:01:24",
		     "pump mac PG-000123 02:00:00:00:01:24 --remove",
		     "pump mac PG-000123 0200.0000.0124 --json"},
	.run = pump_mac_run,
};
