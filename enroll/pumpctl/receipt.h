/* SPDX-License-Identifier: BSD-2-Clause */
/* The receipt of a change of standing: what is proven and what is still open. Pure. */
#ifndef ENROLL_PUMPCTL_RECEIPT_H
#define ENROLL_PUMPCTL_RECEIPT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include <jansson.h>

#include "sql/proto/registry_records.h"

#define RECEIPT_ORDERS_MAX 1000

struct receipt {
	struct revocation revocation;
	size_t n_orders;
	struct order_status orders[RECEIPT_ORDERS_MAX];
};

enum receipt_outcome {
	RECEIPT_GREEN,	/* every NAS has confirmed that the session from before is over */
	RECEIPT_OPEN,	/* some NAS has not answered yet; retries go on */
	RECEIPT_UNSENT, /* some NAS takes no Disconnect-Requests: the pump may stay until its
			   session ends */
};
enum receipt_outcome receipt_outcome(const struct receipt *r);
/* No order can change any more. */
bool receipt_is_settled(const struct receipt *r);

/* What the pump is after the change: "revoked", "quarantined", "parked", "released". */
const char *receipt_state(const struct revocation *change);
void receipt_print(FILE *to, const struct receipt *r);
/* The caller's object; NULL without memory. */
json_t *receipt_to_json(const struct receipt *r);

#endif
