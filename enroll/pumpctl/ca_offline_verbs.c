/* SPDX-License-Identifier: BSD-2-Clause */
/* pumpctl ca request | import: the server's side of an offline root. signerd makes and checks; this
 * file carries public files between its folder and the operator's. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/daemon.h"
#include "enroll/pumpctl/ca_offline.h"
#include "enroll/pumpctl/report.h"
#include "enroll/pumpctl/signer_command.h"
#include "enroll/pumpctl/verbs.h"

#define PEM_MAX 32768
#define PEM_BEGIN "-----BEGIN CERTIFICATE REQUEST-----"
#define PEM_END "-----END CERTIFICATE REQUEST-----\n"

/* What signerd said, as this process's error. */
static int signer_said(struct buf *said)
{
	return err_set(ERR_IO, "%s", said->len ? buf_cstr(said) : "signerd said nothing");
}

int ca_request_fetch(const char *home, const char *what, const char *uri, bool next, const char *to)
{
	const char *args[6] = {"request", what};
	size_t n_args = 2;
	AUTO_BUF said = {.max = PEM_MAX};
	const char *text, *begin, *end, *key;
	int status;
	int rc;

	if (next)
		args[n_args++] = "--next";
	if (uri) {
		args[n_args++] = "--pkcs11";
		args[n_args++] = uri;
	}
	rc = signer_command(home, args, &said, &status);
	if (rc || status)
		return rc ? rc : signer_said(&said);
	text = buf_cstr(&said);
	begin = text ? strstr(text, PEM_BEGIN) : NULL;
	end = begin ? strstr(begin, PEM_END) : NULL;
	if (!end)
		return signer_said(&said);
	end += strlen(PEM_END);
	key = strstr(text, "key of the request: ");
	if (key)
		report_note("%s CA, %.*s", what, (int)strcspn(key, "\n"), key);
	if (strcmp(to, "-"))
		return buf_write_file(to, 0644, begin, (size_t)(end - begin));
	return fwrite(begin, 1, (size_t)(end - begin), stdout) == (size_t)(end - begin)
		       ? 0
		       : err_set(ERR_IO, "standard output");
}

static int what_check(const char *what)
{
	return strcmp(what, "device") && strcmp(what, "server")
		       ? err_set(ERR_INVALID, "CA is device or server")
		       : 0;
}

static int ca_request_run(const struct call *call)
{
	const char *out = call_value(call, "out");
	int rc;

	if (what_check(call->operands[0]))
		return report_usage();
	rc = ca_request_fetch(home_dir(call->home), call->operands[0], call_value(call, "pkcs11"),
			      call_flag(call, "next"), out ? out : "-");
	return rc ? report_failure(rc) : EXIT_DONE;
}

/* signerd's user can't read wherever the operator has the file: it gets a copy, both are public. */
static int import(const char *home, const char *what, const char *file, int *status_out)
{
	AUTO_BUF pem = {.max = PEM_MAX};
	AUTO_BUF said = {.max = 8192};
	char copy[PATH_MAX];
	const char *const args[] = {"import", what, copy, NULL};
	int rc = buf_read_file(&pem, file);

	if (rc || (rc = home_path(home, "ca-import.pem", copy)) ||
	    (rc = buf_write_file(copy, 0644, pem.data, pem.len)))
		return rc;
	rc = signer_command(home, args, &said, status_out);
	unlink(copy);
	if (!rc && *status_out != EXIT_DONE && *status_out != EXIT_NOTHING)
		rc = signer_said(&said);
	if (!rc)
		fputs(said.len ? buf_cstr(&said) : "", stderr);
	return rc;
}

static int ca_import_run(const struct call *call)
{
	int status;
	int rc;

	if (what_check(call->operands[0]))
		return report_usage();
	rc = import(home_dir(call->home), call->operands[0], call->operands[1], &status);
	if (rc)
		return report_failure(rc);
	if (status == EXIT_DONE)
		report_line(call,
			    "the %s CA is in place; when both are: pumpctl init. One that is to "
			    "follow another: pumpctl ca rollover start %s",
			    call->operands[0], call->operands[0]);
	return status;
}

static const struct option_spec request_options[] = {
	{"out", 'o', OPTION_VALUE, "FILE", "where to (standard output)", false},
	{"pkcs11", 0, OPTION_VALUE, "URI", "for a key that was made in a token", false},
	{"next", 0, OPTION_FLAG, NULL, "of the CA that is to follow (ca rollover)", false},
};

const struct verb verb_ca_request = {
	.group = "ca",
	.name = "request",
	.operands = "CA",
	.n_operands = 1,
	.summary = "Write the request of an issuing CA (device, server) for its offline root",
	VERB_OPTIONS(request_options),
	.examples = {"ca request device --out /media/usb/device-ca.csr",
		     "ca request device --next --out /media/usb/device-ca-2.csr",
		     "ca request device --pkcs11 'pkcs11:token=pumpgate;object=device-ca'"},
	.run = ca_request_run,
};

const struct verb verb_ca_import = {
	.group = "ca",
	.name = "import",
	.operands = "CA FILE",
	.n_operands = 2,
	.summary = "Take what the offline root signed, after checking all of it",
	.examples = {"ca import device /media/usb/device-ca.pem",
		     "ca import server /media/usb/server-ca.pem",
		     "--home /tmp/try ca import device device-ca.pem"},
	.run = ca_import_run,
};
