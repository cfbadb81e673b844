/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * pumpctl ca backup | restore. signerd seals and opens; this file carries the sealed file and the
 * shares between its folder and the people, with the rights of who runs pumpctl.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/daemon.h"
#include "base/log.h"
#include "enroll/pumpctl/file_copy.h"
#include "enroll/pumpctl/layout.h"
#include "enroll/pumpctl/record_json.h"
#include "enroll/pumpctl/report.h"
#include "enroll/pumpctl/signer_command.h"
#include "enroll/pumpctl/verbs.h"

#define OUTGOING "ca/outgoing.backup" /* signerd's folder */
#define PEOPLE_DEFAULT 3
#define PEOPLE_MAX 9

static int signer_said(struct buf *said)
{
	return err_set(ERR_IO, "%s", said->len ? buf_cstr(said) : "signerd said nothing");
}

static int share_form(struct buf *b, const char *file, unsigned number, unsigned people,
		      const char *line)
{
	return buf_printf(
		b,
		"Pumpgate CA backup %s: share %u of %u.\n"
		"Any two shares open it. Keep this one apart from the others and from the "
		"backup.\n%.*s\n",
		file, number, people, (int)strcspn(line, "\n"), line);
}

/* PREFIX.1 to PREFIX.N, mode 0600, or with `prefix` NULL on standard output. */
static int shares_deliver(const char *text, const char *prefix, const char *file, unsigned people)
{
	char path[PATH_MAX];

	for (unsigned i = 1; i <= people; i++) {
		AUTO_BUF form = {.max = 2048};
		const char *line = text;
		int rc;

		if (!line || !(line = strstr(line, "PGS1")))
			return err_set(ERR_CORRUPT, "signerd gave %u shares instead of %u", i - 1,
				       people);
		text = strchr(line, '\n');
		if ((rc = share_form(&form, file, i, people, line)))
			return rc;
		if (!prefix) {
			printf("%s%s", i > 1 ? "\f\n" : "", buf_cstr(&form));
			continue;
		}
		if (snprintf(path, sizeof(path), "%s.%u", prefix, i) >= (int)sizeof(path))
			return err_set(ERR_LIMIT, "%s: path too long", prefix);
		if ((rc = buf_write_file(path, 0600, form.data, form.len)))
			return rc;
	}
	return 0;
}

static int shares_absent(const char *prefix, unsigned people)
{
	char path[PATH_MAX];

	for (unsigned i = 1; prefix && i <= people; i++) {
		snprintf(path, sizeof(path), "%s.%u", prefix, i);
		if (access(path, F_OK) == 0)
			return err_set(ERR_EXISTS, "%s is there already", path);
	}
	return 0;
}

static int backup_make(const char *home, const char *file, const char *prefix, unsigned people)
{
	const struct owner self = {geteuid(), getegid()};
	AUTO_BUF said = {.max = 16384};
	char made[PATH_MAX], number[8];
	const char *const args[] = {"backup", made, number, NULL};
	int status, rc;

	if (access(file, F_OK) == 0)
		return err_set(ERR_EXISTS, "%s is there already", file);
	snprintf(number, sizeof(number), "%u", people);
	if ((rc = shares_absent(prefix, people)) || (rc = home_path(home, OUTGOING, made)))
		return rc;
	unlink(made); /* of an attempt that was cut short */
	rc = signer_command(home, args, &said, &status);
	if (!rc && status)
		rc = signer_said(&said);
	if (!rc)
		rc = file_copy(made, file, &self);
	unlink(made);
	return rc ? rc : shares_deliver(buf_cstr(&said), prefix, file, people);
}

static int ca_backup_run(const struct call *call)
{
	const char *file = call->operands[0];
	const char *prefix = call_value(call, "shares");
	bool print = call_flag(call, "print");
	unsigned long people;
	int rc;

	if (call_number(call, "people", PEOPLE_DEFAULT, 2, PEOPLE_MAX, &people))
		return report_usage();
	if (!prefix == !print) {
		err_text_set("say where the shares go: --shares PREFIX (files) or --print (paper)");
		return report_usage();
	}
	rc = backup_make(home_dir(call->home), file, prefix, (unsigned)people);
	if (rc)
		return report_failure(rc);
	if (call->json && !print)
		return json_show(json_pack("{s:s s:s s:i}", "backup", file, "shares", prefix,
					   "people", (int)people))
			       ? EXIT_FAILED
			       : EXIT_DONE;
	report_note("%s: sealed, and opened again with its shares. Give each of the %lu people one "
		    "share; any two open it",
		    file, people);
	return EXIT_DONE;
}

/* ---- restore ---- */

static const char *const incoming[] = {"ca-restore.backup", "ca-restore.share1",
				       "ca-restore.share2"};
#define N_INCOMING (sizeof(incoming) / sizeof(incoming[0]))

static void incoming_remove(const char *home)
{
	char path[PATH_MAX];

	for (size_t i = 0; i < N_INCOMING; i++)
		if (!home_path(home, incoming[i], path))
			unlink(path);
}

static int restore_run(const struct settings *s, const char *const from[])
{
	char paths[N_INCOMING][PATH_MAX];
	const char *const args[] = {"restore", paths[0], paths[1], paths[2], NULL};
	AUTO_BUF said = {.max = 8192};
	struct owner o;
	int status, rc = settings_owner(s, PROCESS_SIGNERD, &o);

	incoming_remove(s->home); /* of an attempt that was cut short */
	for (size_t i = 0; !rc && i < N_INCOMING; i++)
		if (!(rc = home_path(s->home, incoming[i], paths[i])))
			rc = file_copy(from[i], paths[i], &o);
	if (!rc)
		rc = signer_command(s->home, args, &said, &status);
	incoming_remove(s->home);
	return rc ? rc : status ? signer_said(&said) : 0;
}

static int ca_restore_run(const struct call *call)
{
	bool changed = false;
	struct settings s;
	int rc = settings_read(home_dir(call->home), &s);

	if (rc == ERR_NOT_FOUND)
		return report_failure(err_add(rc, "put the old pumpgate.conf there first"));
	if (!rc)
		rc = layout_apply(&s, &changed);
	if (!rc)
		rc = layout_lock(s.home, LOCK_RUN);
	if (rc == ERR_BUSY)
		rc = err_set(rc, "the server is running here: stop it first");
	if (!rc)
		rc = restore_run(&s, call->operands);
	if (rc)
		return report_failure(rc);
	if (call->json)
		return json_show(json_pack("{s:s}", "restored", call->operands[0])) ? EXIT_FAILED
										    : EXIT_DONE;
	puts("the CA is back; next: pumpctl init, and pumpctl backup restore for the registry");
	return EXIT_DONE;
}

static const struct option_spec backup_options[] = {
	{"shares", 0, OPTION_VALUE, "PREFIX", "write the shares to PREFIX.1, PREFIX.2, ...", false},
	{"print", 0, OPTION_FLAG, NULL, "print the shares, a page each, for paper", false},
	{"people", 0, OPTION_VALUE, "N", "how many shares (3; 2 to 9), any two open it", false},
};

const struct verb verb_ca_backup = {
	.group = "ca",
	.name = "backup",
	.operands = "FILE",
	.n_operands = 1,
	.summary = "Seal the CA's keys and lists into FILE; two people are needed to open it",
	VERB_OPTIONS(backup_options),
	.examples = {"ca backup /media/usb/ca.backup --shares /root/share",
		     "ca backup ca.backup --people 5 --print",
		     "ca backup ca.backup --people 2 --shares /root/share --json"},
	.run = ca_backup_run,
};

const struct verb verb_ca_restore = {
	.group = "ca",
	.name = "restore",
	.operands = "FILE SHARE SHARE",
	.n_operands = 3,
	.summary = "Put a sealed CA back into a home that has none, with two people's shares",
	.examples = {"ca restore /media/usb/ca.backup /media/a/share.1 /media/b/share.3",
		     "--home /srv/new ca restore ca.backup share.1 share.2",
		     "ca restore ca.backup share.1 share.2 --json"},
	.run = ca_restore_run,
};
