/* SPDX-License-Identifier: BSD-2-Clause */
/* Owns the form of checkpoints and their signature. Never reads a clock or a file. */
#include "ca/request/audit_checkpoint.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "ca/request/ossl.h"

#define MAGIC "pumpgate-audit-checkpoint v1"
#define NAME_LETTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-"

static bool name_is_fine(const char *name)
{
	return *name && strspn(name, NAME_LETTERS) == strlen(name);
}

int checkpoint_statement_put(struct buf *b, const struct audit_checkpoint *c)
{
	if (!name_is_fine(c->chain) || !name_is_fine(c->by) || strlen(c->head) != 64 ||
	    strspn(c->head, "0123456789abcdef") != 64 || c->at < 0)
		return err_set(ERR_INVALID, "this makes no checkpoint");
	return buf_printf(b, MAGIC " %" PRIu64 " %" PRId64 " %s %s %" PRIu64 " %s %s", c->number,
			  c->at, c->chain, c->accepted ? "accepted" : "head", c->seq, c->head,
			  c->by);
}

int checkpoint_line_put(struct buf *b, const struct audit_checkpoint *c)
{
	char hex[2 * CHECKPOINT_SIGNATURE_BYTES + 1];
	int rc = checkpoint_statement_put(b, c);

	hex_encode(c->signature.data, c->signature.len, hex, sizeof(hex));
	return rc ? rc : buf_printf(b, " %s\n", hex);
}

int checkpoint_line_parse(const char *line, size_t len, struct audit_checkpoint *out)
{
	struct audit_checkpoint c = {0};
	char text[CHECKPOINT_LINE_MAX], kind[9], hex[2 * CHECKPOINT_SIGNATURE_BYTES + 1];
	AUTO_BUF again = {.max = CHECKPOINT_LINE_MAX};
	size_t n;

	if (len >= sizeof(text) || memchr(line, 0, len))
		return err_set(ERR_INVALID, "not the line of a checkpoint");
	memcpy(text, line, len);
	text[len] = '\0';
	if (sscanf(text, MAGIC " %" SCNu64 " %" SCNd64 " %16s %8s %" SCNu64 " %64s %32s %128s",
		   &c.number, &c.at, c.chain, kind, &c.seq, c.head, c.by, hex) != 8 ||
	    hex_decode(hex, sizeof(c.signature.data), c.signature.data, &n) ||
	    n != CHECKPOINT_SIGNATURE_BYTES)
		return err_set(ERR_INVALID, "not the line of a checkpoint");
	c.signature.len = CHECKPOINT_SIGNATURE_BYTES;
	c.accepted = !strcmp(kind, "accepted");
	/* one spelling only: what is read must be what was written */
	if (checkpoint_line_put(&again, &c) || again.len != len + 1 ||
	    memcmp(again.data, text, len) != 0)
		return err_set(ERR_INVALID, "not the line of a checkpoint");
	*out = c;
	return 0;
}

int checkpoint_sign(struct audit_checkpoint *c, EVP_PKEY *key)
{
	AUTO_BUF statement = {.max = CHECKPOINT_LINE_MAX};
	size_t len = sizeof(c->signature.data);
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	int rc = ctx ? checkpoint_statement_put(&statement, c) : ERR_NOMEM;

	if (!rc &&
	    (EVP_DigestSignInit(ctx, NULL, NULL, NULL, key) != 1 ||
	     EVP_DigestSign(ctx, c->signature.data, &len, statement.data, statement.len) != 1 ||
	     len != CHECKPOINT_SIGNATURE_BYTES))
		rc = err_ossl(ERR_CRYPTO, "signing a checkpoint");
	EVP_MD_CTX_free(ctx);
	c->signature.len = rc ? 0 : CHECKPOINT_SIGNATURE_BYTES;
	return rc;
}

int checkpoint_verify(const struct audit_checkpoint *c, EVP_PKEY *key)
{
	AUTO_BUF statement = {.max = CHECKPOINT_LINE_MAX};
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	int rc = ctx ? checkpoint_statement_put(&statement, c) : ERR_NOMEM;

	if (!rc && (EVP_DigestVerifyInit(ctx, NULL, NULL, NULL, key) != 1 ||
		    EVP_DigestVerify(ctx, c->signature.data, c->signature.len, statement.data,
				     statement.len) != 1))
		rc = err_ossl(ERR_DENIED, "checkpoint %" PRIu64 " is not signed by signerd's key",
			      c->number);
	EVP_MD_CTX_free(ctx);
	return rc;
}

enum chain_verdict checkpoint_judge(const struct audit_checkpoint *last, uint64_t head_seq,
				    const char *row_hash)
{
	if (!last)
		return head_seq ? CHAIN_GREW : CHAIN_SAME;
	if (head_seq < last->seq || !row_hash[0])
		return CHAIN_CUT;
	if (strcmp(row_hash, last->head) != 0)
		return CHAIN_REWRITTEN;
	return head_seq == last->seq ? CHAIN_SAME : CHAIN_GREW;
}
