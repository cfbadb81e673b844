/* SPDX-License-Identifier: BSD-2-Clause */
/* The two audit chains: the registry's, and credd's of clinicians and their logins (--logins). */
#ifndef ENROLL_PUMPCTL_AUDIT_CHAIN_H
#define ENROLL_PUMPCTL_AUDIT_CHAIN_H

#include "enroll/pumpctl/registry.h"

struct audit_chain {
	const char *name; /* as checkpoints call it */
	uint16_t tail, verify;
	int (*open)(const struct call *call, struct ipc_client **out);
	int (*failure)(const struct call *call, int rc);
	int (*show)(const struct call *call, const struct listing *l, struct list_query *query,
		    size_t limit);
};

/* What the call asks for. */
const struct audit_chain *audit_chain_of(const struct call *call);
/* Rows behind row `after`, oldest first; as registry_audit_tail. */
int audit_rows(struct ipc_client *c, const struct audit_chain *chain, uint64_t after,
	       struct audit_row *out, size_t max, size_t *n_out) MUST_USE;

#define AUDIT_CHAIN_OPTION                                                        \
	{                                                                         \
		"logins", 0, OPTION_FLAG, NULL,                                   \
			"the audit of clinicians and their logins instead", false \
	}

#endif
