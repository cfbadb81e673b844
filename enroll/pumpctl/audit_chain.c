/* SPDX-License-Identifier: BSD-2-Clause */
/* Owns which service has which audit chain. */
#include "enroll/pumpctl/audit_chain.h"

#include <inttypes.h>
#include <stdio.h>

#include "sql/proto/cred_verbs.h"

const struct audit_chain *audit_chain_of(const struct call *call)
{
	static const struct audit_chain registry = {
		"registry",    REGISTRY_AUDIT_TAIL, REGISTRY_AUDIT_VERIFY,
		registry_open, registry_failure,    listing_show};
	static const struct audit_chain logins = {"logins",  CRED_AUDIT_TAIL, CRED_AUDIT_VERIFY,
						  cred_open, cred_failure,    people_show};

	return call_flag(call, "logins") ? &logins : &registry;
}

int audit_rows(struct ipc_client *c, const struct audit_chain *chain, uint64_t after,
	       struct audit_row *out, size_t max, size_t *n_out)
{
	struct list_query q = {.limit = (uint32_t)max};

	/* never "": that would be the newest rows */
	snprintf(q.after, sizeof(q.after), "%" PRIu64, after);
	return ipc_client_call(c, chain->tail, &record_list_query, &q, 1, &record_audit_row, out,
			       max, n_out, REGISTRY_TIMEOUT_MS);
}
