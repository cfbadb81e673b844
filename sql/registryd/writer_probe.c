/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Owns the probes of `pumpctl nas test`: a Disconnect-Request for a session that cannot exist goes
 * to one NAS through the dispatcher, and its answer back to the person who waits. They live in
 * memory alone: nothing of them survives, and nothing needs to.
 */
#include "sql/registryd/writer.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/secret.h"

#define PROBE_ID (UINT64_C(1) << 62) /* no row id comes near */
#define PROBE_WAIT_US 6000000

static void probe_finish(struct parked_probe *p)
{
	const struct nas_probe *a = &p->answer;

	LOG(LOG_INFO, "nas.test", LOG_S("nas", a->name), LOG_S("result", a->result),
	    LOG_U("error_cause", a->error_cause), LOG_U("rtt_us", a->rtt_us));
	ipc_request_reply(p->rq, a, 1);
	memset(p, 0, sizeof(*p));
}

static struct parked_probe *slot_free(struct writer *w)
{
	for (size_t i = 0; i < PROBES_MAX; i++)
		if (!w->probes[i].rq)
			return &w->probes[i];
	return NULL;
}

void writer_probe(struct writer *w, struct ipc_request *rq)
{
	const struct nas_name *q = ipc_request_record(rq);
	struct parked_probe *p = slot_free(w);
	struct dispatch_order to = {0};
	uint64_t random;
	int rc = p ? store_nas_reach(w->registry, q->name, clock_wall_ms(), &to)
		   : err_set(ERR_BUSY, "%d NAS are being tested already", PROBES_MAX);

	secret_wipe(&to.secret, sizeof(to.secret));
	if (!rc && !to.das_port)
		rc = err_set(ERR_CONFLICT, "NAS %s takes no Disconnect-Requests (DAS port 0)",
			     to.nas);
	if (rc) {
		ipc_request_fail(rq, rc);
		return;
	}
	*p = (struct parked_probe){.rq = rq,
				   .id = PROBE_ID | ++w->probe_count,
				   .until_us = clock_mono_us() + PROBE_WAIT_US};
	memcpy(p->answer.name, to.nas, sizeof(p->answer.name));
	memcpy(p->answer.ip, to.nas_ip, sizeof(p->answer.ip));
	p->answer.das_port = to.das_port;
	secret_fill_random(&random, sizeof(random));
	snprintf(p->session_id, sizeof(p->session_id), "pumpgate-test-%016" PRIx64, random);
}

bool writer_probes_wait(const struct writer *w)
{
	for (size_t i = 0; i < PROBES_MAX; i++)
		if (w->probes[i].rq && !w->probes[i].taken)
			return true;
	return false;
}

size_t writer_probes_take(struct writer *w, struct dispatch_order *out, size_t max)
{
	size_t n = 0;

	for (size_t i = 0; i < PROBES_MAX && n < max; i++) {
		struct parked_probe *p = &w->probes[i];

		if (!p->rq || p->taken)
			continue;
		p->taken = true;
		if (store_nas_reach(w->registry, p->answer.name, clock_wall_ms(), &out[n]))
			continue; /* ends untaken, and says so */
		out[n].id = p->id;
		out[n].attempt = 1;
		memcpy(out[n].session_id, p->session_id, sizeof(out[n].session_id));
		n++;
	}
	return n;
}

static void probe_result(struct writer *w, const struct dispatch_result *r)
{
	for (size_t i = 0; i < PROBES_MAX; i++) {
		struct parked_probe *p = &w->probes[i];

		if (!p->rq || p->id != r->id)
			continue;
		memcpy(p->answer.result, r->result, sizeof(p->answer.result));
		memcpy(p->answer.detail, r->detail, sizeof(p->answer.detail));
		p->answer.error_cause = r->error_cause;
		p->answer.rtt_us = r->rtt_us;
		probe_finish(p);
	}
}

size_t writer_probes_result(struct writer *w, struct dispatch_result *results, size_t n)
{
	size_t others = 0;

	for (size_t i = 0; i < n; i++) {
		if (results[i].id & PROBE_ID)
			probe_result(w, &results[i]); /* nobody may wait any more: fine */
		else
			results[others++] = results[i];
	}
	return others;
}

int64_t writer_probes_serve(struct writer *w)
{
	int64_t again = INT64_MAX, now = clock_mono_us();

	for (size_t i = 0; i < PROBES_MAX; i++) {
		struct parked_probe *p = &w->probes[i];

		if (!p->rq)
			continue;
		if (p->until_us <= now) {
			memcpy(p->answer.result, "untaken", sizeof("untaken"));
			probe_finish(p);
		} else if (p->until_us < again) {
			again = p->until_us;
		}
	}
	return again;
}

void writer_probes_end(struct writer *w)
{
	for (size_t i = 0; i < PROBES_MAX; i++)
		w->probes[i].until_us = 0;
	(void)writer_probes_serve(w);
}
