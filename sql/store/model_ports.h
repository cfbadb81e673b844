/* SPDX-License-Identifier: BSD-2-Clause */
/* Which ports a model may have open (docs/decisions/0153). The rules of sql/store/store.h hold. */
#ifndef SQL_STORE_MODEL_PORTS_H
#define SQL_STORE_MODEL_PORTS_H

#include "sql/store/store.h"

/* Sets it, or (any) removes it. ERR_INVALID, ERR_UNCHANGED, ERR_NOT_FOUND: no pump is of this
 * model. */
int store_model_ports_set(struct store *st, const struct action *by,
			  const struct model_ports *m) MUST_USE;
/* All models of the inventory, by name. */
int store_model_ports_list(struct store *st, const struct list_query *q, struct model_ports *out,
			   size_t max, size_t *n_out) MUST_USE;
/* Of `open` what the pump's model may not have; "" also when nothing was set for it. */
int store_model_ports_beyond(struct store *st, const char *device, const char *open,
			     char out[REPORT_PORTS_SIZE]) MUST_USE;

#endif
