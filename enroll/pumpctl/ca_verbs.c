/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * pumpctl ca keys | protect: where the CA keys are and in what form. Everything is done by
 * pumpgate-signerd under its own user; no key, passphrase or PIN comes near pumpctl.
 */
#include <stdio.h>
#include <string.h>

#include <jansson.h>

#include "base/daemon.h"
#include "enroll/pumpctl/record_json.h"
#include "enroll/pumpctl/report.h"
#include "enroll/pumpctl/signer_command.h"
#include "enroll/pumpctl/verbs.h"

/* "NAME TAB FORM TAB WHERE" per line. */
static int keys_show(const struct call *call, char *text)
{
	json_t *list = json_array();
	char *save = NULL;

	if (!call->json)
		printf("%-12s  %-9s  %s\n", "KEY", "FORM", "WHERE");
	for (char *line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		const char *name = strsep(&line, "\t");
		const char *form = strsep(&line, "\t");

		if (!form || !line)
			continue;
		if (call->json)
			json_array_append_new(list, json_pack("{s:s s:s s:s}", "key", name, "form",
							      form, "where", line));
		else
			printf("%-12s  %-9s  %s\n", name, form,
			       *line ? line : "not here: kept offline");
	}
	if (call->json)
		return json_show(list);
	json_decref(list);
	return 0;
}

static int ca_keys_run(const struct call *call)
{
	const char *const args[] = {"keys", NULL};
	AUTO_BUF said = {.max = 16384};
	int status;
	int rc = signer_command(home_dir(call->home), args, &said, &status);

	if (!rc && status)
		rc = err_set(ERR_IO, "%s", said.len ? buf_cstr(&said) : "signerd said nothing");
	if (!rc && !buf_cstr(&said))
		rc = ERR_NOMEM;
	if (!rc)
		rc = keys_show(call, (char *)said.data);
	return rc ? report_failure(rc) : EXIT_DONE;
}

static int protect_args(const struct call *call, const char *args[6])
{
	const char *file = call_value(call, "passphrase-file");
	const char *uri = call_value(call, "pkcs11");
	size_t n = 0;

	if (!!file + !!uri + call_flag(call, "plain") != 1)
		return err_set(ERR_INVALID,
			       "name one form: --passphrase-file FILE, --pkcs11 URI or --plain");
	args[n++] = "protect";
	args[n++] = call->operands[0];
	args[n++] = file ? "--passphrase-file" : uri ? "--pkcs11" : "--plain";
	if (file || uri)
		args[n++] = file ? file : uri;
	args[n] = NULL;
	return 0;
}

static int ca_protect_run(const struct call *call)
{
	const char *args[6];
	AUTO_BUF said = {.max = 16384};
	int status;
	int rc = protect_args(call, args);

	if (rc)
		return report_usage();
	rc = signer_command(home_dir(call->home), args, &said, &status);
	if (!rc && status != EXIT_DONE && status != EXIT_NOTHING)
		rc = err_set(ERR_IO, "%s", said.len ? buf_cstr(&said) : "signerd said nothing");
	if (rc)
		return report_failure(rc);
	if (status == EXIT_NOTHING)
		return EXIT_NOTHING;
	if (call->json)
		return json_show(json_pack("{s:s s:b}", "key", call->operands[0], "changed", true))
			       ? EXIT_FAILED
			       : EXIT_DONE;
	fputs(said.len ? buf_cstr(&said) : "", stdout);
	if (call_value(call, "passphrase-file"))
		puts("next: signerd needs the passphrase at its start: [ca] passphrase_file, or "
		     "the "
		     "systemd credential ca-passphrase; then restart it");
	else
		puts("next: restart signerd, so that it opens the key in its new form");
	return EXIT_DONE;
}

const struct verb verb_ca_keys = {
	.group = "ca",
	.name = "keys",
	.operands = "",
	.summary = "Show where the CA keys are: file, encrypted file, token, or not here",
	.examples = {"ca keys", "ca keys --json", "--home /tmp/try ca keys"},
	.run = ca_keys_run,
};

static const struct option_spec protect_options[] = {
	{"passphrase-file", 0, OPTION_VALUE, "FILE", "encrypt the key file under its passphrase",
	 false},
	{"pkcs11", 0, OPTION_VALUE, "URI", "the same key is in a token: keep only its URI here",
	 false},
	{"plain", 0, OPTION_FLAG, NULL, "back to a file of mode 0600", false},
};

const struct verb verb_ca_protect = {
	.group = "ca",
	.name = "protect",
	.operands = "KEY",
	.n_operands = 1,
	.summary = "Give a CA key (device-root, device-ca, server-..., nas-..., all) another form",
	VERB_OPTIONS(protect_options),
	.examples = {"ca protect all --passphrase-file /etc/pumpgate/ca.passphrase",
		     "ca protect device-ca --pkcs11 'pkcs11:token=pumpgate;object=device-ca'",
		     "ca protect device-ca --plain"},
	.run = ca_protect_run,
};
