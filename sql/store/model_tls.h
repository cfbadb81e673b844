/* SPDX-License-Identifier: BSD-2-Clause */
/* The floor of TLS of a model (docs/decisions/0215). The rules of sql/store/store.h hold. */
#ifndef SQL_STORE_MODEL_TLS_H
#define SQL_STORE_MODEL_TLS_H

#include "sql/store/store.h"

/* Sets it, or (min 0) removes it. Counts from each pump's next authentication. ERR_INVALID,
 * ERR_UNCHANGED, ERR_NOT_FOUND: no pump is of this model; ERR_CONFLICT: there is no quarantine
 * zone, so that a pump below it would be refused. */
int store_model_tls_set(struct store *st, const struct action *by,
			const struct model_tls *m) MUST_USE;
/* The pumps of a model that hold a certificate in force; what their sessions tell is not filled in.
 * ERR_LIMIT. */
int store_model_pumps(struct store *st, const struct model_query *q, struct model_pump *out,
		      size_t max, size_t *n_out) MUST_USE;

#endif
