/* SPDX-License-Identifier: BSD-2-Clause */
/* For desk.c and desk_offline.c alone: the half of the desk that asks nobody. */
#ifndef PUMP_AGENT_LOGIN_DESK_OFFLINE_H
#define PUMP_AGENT_LOGIN_DESK_OFFLINE_H

#include "pump_agent/login/desk.h"

/* Whether desk_by_person would know whom is meant, and have what it needs to judge. */
bool desk_can_decide(const struct desk *d, const struct pumplink_request *rq);
/* By badge and PIN, or name and password, and what the pump keeps of the person. */
void desk_by_person(struct desk *d, const struct pumplink_request *rq, struct pumplink_answer *out,
		    struct desk_entry *entry);

/* vault_keep_as; says so when it failed: nobody may be let in then. */
int desk_keep(struct desk *d, enum vault_weight weight);
void desk_outcome(struct pumplink_answer *out, enum pumplink_result result, uint32_t wait_s);
/* The controller shows it: no more than it takes. */
void desk_person_put(struct pumplink_answer *out, const char *display, const char *user);

#endif
