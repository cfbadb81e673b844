/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Owns the long poll of the dispatcher. A take that finds nothing due is parked here and answered
 * by the writer's thread when an order becomes due, or empty when its time is over; the thread
 * works on meanwhile.
 */
#include "sql/registryd/writer.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"

#define WAIT_MAX_MS 30000

static void parked_remove(struct writer *w, size_t i)
{
	w->parked[i] = w->parked[--w->n_parked];
}

/* A dispatcher that starts anew: whoever waited before is gone. */
static void parked_dismiss(struct writer *w)
{
	while (w->n_parked)
		ipc_request_reply(w->parked[--w->n_parked].rq, NULL, 0);
}

/* Answers when something is due, or `must` is set; true when answered. */
static bool take_try(struct writer *w, struct ipc_request *rq, bool fresh, bool must)
{
	const struct dispatch_take *q = ipc_request_record(rq);
	size_t max = q->max && q->max < STORE_TAKE_MAX ? q->max : STORE_TAKE_MAX, n;
	struct dispatch_order *orders = calloc(max, sizeof(*orders));
	int rc = orders ? store_orders_take(w->registry, clock_wall_ms(), fresh, orders, max, &n,
					    &w->next_due)
			: err_set(ERR_NOMEM, "no memory for orders");

	if (rc) {
		LOG(LOG_ERROR, "order.take", LOG_S("outcome", err_name(rc)),
		    LOG_S("why", err_text()));
		ipc_request_fail(rq, rc);
	} else if ((n += writer_probes_take(w, orders + n, max - n)) || must) {
		for (size_t i = 0; i < n; i++)
			LOG(LOG_INFO, "order.take", LOG_U("order", orders[i].id),
			    LOG_S("object", orders[i].device), LOG_S("nas", orders[i].nas),
			    LOG_U("attempt", orders[i].attempt));
		ipc_request_reply(rq, orders, n);
	}
	if (orders)
		explicit_bzero(orders, max * sizeof(*orders)); /* secrets */
	free(orders);
	return rc || n || must;
}

void writer_take(struct writer *w, struct ipc_request *rq)
{
	const struct dispatch_take *q = ipc_request_record(rq);
	int64_t wait_us = 1000LL * (q->wait_ms < WAIT_MAX_MS ? q->wait_ms : WAIT_MAX_MS);

	if (q->fresh)
		parked_dismiss(w);
	if (take_try(w, rq, q->fresh, wait_us == 0 || w->n_parked == PARKED_MAX))
		return;
	w->parked[w->n_parked++] =
		(struct parked_take){.rq = rq, .until_us = clock_mono_us() + wait_us};
}

int64_t writer_takes_serve(struct writer *w)
{
	int64_t again = INT64_MAX, due_us;

	for (size_t i = 0; i < w->n_parked;) {
		int64_t now = clock_mono_us();
		bool over = w->parked[i].until_us <= now;

		if ((over || w->next_due <= clock_wall_ms() || writer_probes_wait(w)) &&
		    take_try(w, w->parked[i].rq, false, over)) {
			parked_remove(w, i);
			continue;
		}
		if (w->parked[i].until_us < again)
			again = w->parked[i].until_us;
		i++;
	}
	if (w->n_parked && w->next_due != INT64_MAX) {
		due_us = clock_mono_us() + 1000 * (w->next_due - clock_wall_ms());
		if (due_us < again)
			again = due_us;
	}
	due_us = writer_probes_serve(w);
	return due_us < again ? due_us : again;
}

void writer_takes_end(struct writer *w)
{
	parked_dismiss(w);
	writer_probes_end(w);
}
