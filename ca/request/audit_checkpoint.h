/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Checkpoints of an audit chain: signerd's signed statement that at this time row `seq` was the
 * last one and had this hash. A fixed form with its own name and key, so that the signature can't
 * be taken for anything else (docs/decisions/0161).
 *
 *   pumpgate-audit-checkpoint v1 NUMBER TIME_MS CHAIN KIND SEQ HEAD BY
 *
 * KIND: "head", or "accepted" when a person (BY) said that the chain may begin anew from here.
 */
#ifndef CA_REQUEST_AUDIT_CHECKPOINT_H
#define CA_REQUEST_AUDIT_CHECKPOINT_H

#include <openssl/evp.h>

#include "base/buf.h"
#include "ca/proto/signer_records.h"

#define CHECKPOINT_LINE_MAX 512

/* The statement, without a line end. ERR_INVALID: a field that makes no statement. */
int checkpoint_statement_put(struct buf *b, const struct audit_checkpoint *c) MUST_USE;
/* The statement, a blank and the signature in hex: what the list holds, one per line. */
int checkpoint_line_put(struct buf *b, const struct audit_checkpoint *c) MUST_USE;
/* `line` without its line end. ERR_INVALID. The signature is not looked at. */
int checkpoint_line_parse(const char *line, size_t len, struct audit_checkpoint *out) MUST_USE;

/* Ed25519 (RFC 8032). Signs what c says, into c->signature. ERR_INVALID, ERR_CRYPTO. */
int checkpoint_sign(struct audit_checkpoint *c, EVP_PKEY *key) MUST_USE;
/* ERR_DENIED: not signed by that key. */
int checkpoint_verify(const struct audit_checkpoint *c, EVP_PKEY *key) MUST_USE;

/* What the chain says now, against the last checkpoint of it. */
enum chain_verdict {
	CHAIN_CUT = 0,	 /* it ends before the row that was signed */
	CHAIN_REWRITTEN, /* that row is another one now */
	CHAIN_SAME,
	CHAIN_GREW,
};
/* row_hash: of row last->seq now, "" when there is none. `last` NULL: nothing was signed yet. */
enum chain_verdict checkpoint_judge(const struct audit_checkpoint *last, uint64_t head_seq,
				    const char *row_hash);

#endif
