/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * pumpctl audit verify | checkpoints | accept: is the audit what it was? registryd follows the
 * chain of hashes; what somebody who can write the database could do all the same (cut the end,
 * make the whole chain anew) shows against the checkpoints that signerd signed, or a copy of them.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/x509.h>

#include "base/clock.h"
#include "ca/request/audit_checkpoint.h"
#include "ca/request/ossl.h"
#include "enroll/pumpctl/audit_chain.h"
#include "enroll/pumpctl/record_json.h"
#include "enroll/pumpctl/registry.h"
#include "enroll/pumpctl/report.h"
#include "enroll/pumpctl/signer.h"
#include "enroll/pumpctl/verbs.h"

#define VERIFY_TIMEOUT_MS (10 * 60 * 1000)
#define COPY_MAX_BYTES (64u << 20)
#define KEY_PREFIX "key "

struct signed_list {
	const struct audit_chain *chain;
	struct audit_checkpoint *all; /* oldest first */
	size_t n;
	EVP_PKEY *key;
	struct checkpoint_state state; /* of signerd; empty for a copy */
};

static void signed_list_done(struct signed_list *l)
{
	free(l->all);
	EVP_PKEY_free(l->key);
}
#define AUTO_SIGNED_LIST __attribute__((cleanup(signed_list_done))) struct signed_list

static int signed_list_add(struct signed_list *l, const struct audit_checkpoint *c)
{
	struct audit_checkpoint *more =
		l->n % 512 ? l->all : realloc(l->all, (l->n + 512) * sizeof(*more));

	if (!more)
		return err_set(ERR_NOMEM, "no memory for checkpoints");
	l->all = more;
	l->all[l->n++] = *c;
	return 0;
}

static int key_take(struct signed_list *l, const uint8_t *der, size_t len)
{
	const unsigned char *at = der;

	EVP_PKEY_free(l->key);
	l->key = d2i_PUBKEY(NULL, &at, (long)len);
	return l->key ? 0 : err_ossl(ERR_CRYPTO, "the key of the checkpoints");
}

static int from_signer(const struct call *call, struct signed_list *l)
{
	struct checkpoint_query q = {0};
	struct audit_checkpoint *page = calloc(CHECKPOINTS_PAGE, sizeof(*page));
	AUTO_IPC_CLIENT c = NULL;
	size_t n = 0;
	int rc = page ? signer_open(call, &c) : err_set(ERR_NOMEM, "no memory for checkpoints");

	snprintf(q.chain, sizeof(q.chain), "%s", l->chain->name);
	if (!rc)
		rc = ipc_client_call(c, SIGNER_CHECKPOINT_STATE, &record_checkpoint_query, &q, 1,
				     &record_checkpoint_state, &l->state, 1, NULL,
				     REGISTRY_TIMEOUT_MS);
	if (!rc)
		rc = key_take(l, l->state.key.data, l->state.key.len);
	do {
		if (!rc)
			rc = ipc_client_call(c, SIGNER_CHECKPOINTS, &record_checkpoint_query, &q, 1,
					     &record_audit_checkpoint, page, CHECKPOINTS_PAGE, &n,
					     REGISTRY_TIMEOUT_MS);
		for (size_t i = 0; !rc && i < n; i++)
			rc = signed_list_add(l, &page[i]);
		if (n)
			q.after = page[n - 1].number;
	} while (!rc && n);
	free(page);
	return rc;
}

static int copy_line(struct signed_list *l, const char *line, size_t len)
{
	uint8_t der[128];
	char hex[2 * sizeof(der) + 1];
	struct audit_checkpoint c;
	size_t n;
	int rc;

	if (len > strlen(KEY_PREFIX) && !strncmp(line, KEY_PREFIX, strlen(KEY_PREFIX))) {
		snprintf(hex, sizeof(hex), "%.*s", (int)(len - strlen(KEY_PREFIX)),
			 line + strlen(KEY_PREFIX));
		rc = hex_decode(hex, sizeof(der), der, &n);
		return rc ? rc : key_take(l, der, n);
	}
	rc = checkpoint_line_parse(line, len, &c);
	if (rc || strcmp(c.chain, l->chain->name) != 0)
		return rc;
	if (l->n && c.number <= l->all[l->n - 1].number)
		return err_set(ERR_INVALID, "the numbers do not rise");
	return signed_list_add(l, &c);
}

/* What `audit checkpoints` printed, perhaps long ago. */
static int from_copy(const char *path, struct signed_list *l)
{
	AUTO_BUF text = {.max = COPY_MAX_BYTES};
	int rc = buf_read_file(&text, path);
	const char *at = (const char *)text.data, *end;
	size_t left = text.len;

	for (size_t line = 1; !rc && left && (end = memchr(at, '\n', left)); line++) {
		rc = copy_line(l, at, (size_t)(end - at));
		if (rc)
			rc = err_add(rc, "%s: line %zu", path, line);
		left -= (size_t)(end - at) + 1;
		at = end + 1;
	}
	if (!rc && !l->key)
		rc = err_set(ERR_INVALID, "%s: no line \"key HEX\" in it", path);
	return rc;
}

static void found(struct audit_check *check, uint64_t seq, const char *what)
{
	check->intact = false;
	check->bad_seq = seq;
	snprintf(check->text, sizeof(check->text), "%s", what);
}

/* Is the row that was signed still there, and the same? */
static int row_compare(struct ipc_client *c, const struct signed_list *l,
		       const struct audit_checkpoint *p, struct audit_check *check)
{
	struct audit_row row;
	char at[CLOCK_TEXT_MAX], text[TEXT_SIZE];
	size_t n;
	int rc = audit_rows(c, l->chain, p->seq - 1, &row, 1, &n);

	if (rc)
		return rc;
	clock_format(p->at, at);
	if (n && row.seq == p->seq && !strcmp(row.hash, p->head))
		return 0;
	snprintf(text, sizeof(text),
		 n && row.seq == p->seq ? "row %" PRIu64 " is not the one that signerd signed at %s"
					: "the end is missing: signerd signed row %" PRIu64
					  " at %s",
		 p->seq, at);
	found(check, p->seq, text);
	return 0;
}

/* Where comparing begins: what came before the last acceptance is another chain. */
static size_t last_accepted(const struct signed_list *l)
{
	for (size_t i = l->n; i > 0; i--)
		if (l->all[i - 1].accepted)
			return i - 1;
	return 0;
}

static int all_compare(struct ipc_client *c, const struct signed_list *l, struct audit_check *check)
{
	int rc = 0;

	for (size_t i = last_accepted(l); !rc && check->intact && i < l->n; i++) {
		const struct audit_checkpoint *p = &l->all[i];

		rc = checkpoint_verify(p, l->key);
		if (rc == ERR_DENIED || !p->seq) {
			found(check, p->seq, err_text());
			return 0;
		}
		if (!rc)
			rc = row_compare(c, l, p, check);
		check->checkpoints += !rc && check->intact;
		check->signed_at = p->at;
	}
	return rc;
}

static void accepted_tell(const struct signed_list *l)
{
	for (size_t i = 0; i < l->n; i++) {
		char at[CLOCK_TEXT_MAX];

		if (!l->all[i].accepted)
			continue;
		clock_format(l->all[i].at, at);
		report_note("at %s %s accepted that the chain goes on from row %" PRIu64
			    "; what was signed before is not compared",
			    at, l->all[i].by, l->all[i].seq);
	}
}

static int check_tell(const struct call *call, const struct signed_list *l,
		      const struct audit_check *check)
{
	char at[CLOCK_TEXT_MAX];

	clock_format(check->signed_at, at);
	accepted_tell(l);
	if (call->json)
		record_show(call, &record_audit_check, check);
	else if (check->intact)
		printf("intact: %" PRIu64 " rows, head %s\n%" PRIu64
		       " checkpoints fit, the last of %s\n",
		       check->rows, check->head, check->checkpoints, at);
	if (!check->intact)
		return report_failure(err_set(
			ERR_CORRUPT,
			"the audit was changed at row %" PRIu64 ": %s; keep the database and its "
			"backups as they are and find out who had access. If a backup was "
			"restored: pumpctl audit accept --reason TEXT",
			check->bad_seq, check->text));
	if (l->state.fault[0])
		return report_failure(
			err_set(ERR_CORRUPT, "signerd signs no checkpoint: %s", l->state.fault));
	return EXIT_DONE;
}

static int audit_verify_run(const struct call *call)
{
	const char *copy = call_value(call, "against");
	AUTO_SIGNED_LIST l = {.chain = audit_chain_of(call)};
	AUTO_IPC_CLIENT c = NULL;
	struct list_query q = {0};
	struct audit_check check;
	int rc;

	/* the checkpoints first: rows that come meanwhile are not missed in them */
	rc = copy ? from_copy(copy, &l) : from_signer(call, &l);
	if (rc)
		return copy ? report_failure(rc) : signer_failure(call, rc);
	rc = l.chain->open(call, &c);
	if (!rc)
		rc = ipc_client_call(c, l.chain->verify, &record_list_query, &q, 1,
				     &record_audit_check, &check, 1, NULL, VERIFY_TIMEOUT_MS);
	if (!rc && check.intact)
		rc = all_compare(c, &l, &check);
	return rc ? l.chain->failure(call, rc) : check_tell(call, &l, &check);
}

static const struct option_spec audit_verify_options[] = {
	{"against", 0, OPTION_VALUE, "FILE",
	 "a copy that audit checkpoints made, not signerd's own", false},
	AUDIT_CHAIN_OPTION,
};

const struct verb verb_audit_verify = {
	.group = "audit",
	.name = "verify",
	.operands = "",
	.summary =
		"Check the audit from its first row to its last, and against what signerd signed",
	VERB_OPTIONS(audit_verify_options),
	.examples = {"audit verify", "audit verify --json", "audit verify --logins"},
	.run = audit_verify_run,
};

/* ---- audit checkpoints ---- */

static int lines_print(const struct signed_list *l)
{
	char hex[2 * sizeof(l->state.key.data) + 1];

	hex_encode(l->state.key.data, l->state.key.len, hex, sizeof(hex));
	printf(KEY_PREFIX "%s\n", hex);
	for (size_t i = 0; i < l->n; i++) {
		AUTO_BUF line = {.max = CHECKPOINT_LINE_MAX};
		int rc = checkpoint_line_put(&line, &l->all[i]);

		if (rc)
			return rc;
		fwrite(line.data, 1, line.len, stdout);
	}
	return fflush(stdout) ? err_errno(ERR_IO, "writing") : 0;
}

static int json_print(const struct signed_list *l)
{
	json_t *j = json_array();

	for (size_t i = 0; j && i < l->n; i++)
		json_array_append_new(j, record_to_json(&record_audit_checkpoint, &l->all[i]));
	return json_show(j);
}

static int audit_checkpoints_run(const struct call *call)
{
	AUTO_SIGNED_LIST l = {.chain = audit_chain_of(call)};
	int rc = from_signer(call, &l);

	if (rc)
		return signer_failure(call, rc);
	rc = call->json ? json_print(&l) : lines_print(&l);
	return rc ? report_failure(rc) : EXIT_DONE;
}

static const struct option_spec audit_checkpoints_options[] = {AUDIT_CHAIN_OPTION};

const struct verb verb_audit_checkpoints = {
	.group = "audit",
	.name = "checkpoints",
	.operands = "",
	.summary = "Print what signerd signed of the audit, to be kept on another machine",
	VERB_OPTIONS(audit_checkpoints_options),
	.examples = {"audit checkpoints", "audit checkpoints --json", "audit checkpoints --logins"},
	.run = audit_checkpoints_run,
};

/* ---- audit accept ---- */

static int audit_accept_run(const struct call *call)
{
	struct checkpoint_accept q = {0};
	struct audit_checkpoint made;
	AUTO_IPC_CLIENT c = NULL;
	int rc;

	if (str_copy(q.reason, sizeof(q.reason), call_value(call, "reason")) || !q.reason[0]) {
		err_text_set("--reason: one sentence, at most %zu bytes", sizeof(q.reason) - 1);
		return report_usage();
	}
	snprintf(q.chain, sizeof(q.chain), "%s", audit_chain_of(call)->name);
	rc = signer_open(call, &c);
	if (!rc)
		rc = ipc_client_call(c, SIGNER_CHECKPOINT_ACCEPT, &record_checkpoint_accept, &q, 1,
				     &record_audit_checkpoint, &made, 1, NULL, REGISTRY_TIMEOUT_MS);
	if (rc)
		return signer_failure(call, rc);
	if (call->json)
		return record_show(call, &record_audit_checkpoint, &made);
	report_line(call,
		    "checkpoint %" PRIu64 ": the chain goes on from row %" PRIu64
		    ", accepted by %s",
		    made.number, made.seq, made.by);
	return EXIT_DONE;
}

static const struct option_spec audit_accept_options[] = {
	{"reason", 0, OPTION_VALUE, "TEXT", "why, for signerd's log", true},
	AUDIT_CHAIN_OPTION,
};

const struct verb verb_audit_accept = {
	.group = "audit",
	.name = "accept",
	.operands = "",
	.summary = "Say that the chain may go on from where it ends now, after a restored backup",
	VERB_OPTIONS(audit_accept_options),
	.examples = {"audit accept --reason 'backup of 3 May restored'",
		     "audit accept --reason 'backup of 3 May restored' --json",
		     "--home /tmp/try audit accept --reason test"},
	.run = audit_accept_run,
};
