/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * An authentication from its first packet to its answer, kept with the outer request, and the event
 * that every attempt leaves.
 */
#ifndef RADIUS_MODULES_RLM_PUMP_ATTEMPT_H
#define RADIUS_MODULES_RLM_PUMP_ATTEMPT_H

#include "radius_modules/rlm_pump/rlm_pump.h"

struct attempt {
	uint64_t request_id;
	struct verdict verdict;
	const char *method;
	char device[DEVICE_SERIAL_SIZE];
	char issuer[ISSUER_SIZE];
	char cert_serial[CERT_SERIAL_SIZE];
	char zone[NAME_SIZE];
	char filter_id[LABEL_SIZE];
	char detail[TEXT_SIZE];
	uint32_t vlan;
	uint32_t session_s;
	struct tls_seen tls;
};

/* The attempt of this packet; made on first use, freed with the request. NULL: there is none, or no
 * memory for one. */
struct attempt *attempt_of(struct pump_shared *s, REQUEST *outer, bool make);

/* Logs how it ended and hands the event to the registry; never waits for it. */
void attempt_post(struct pump_shared *s, REQUEST *request, const struct attempt *a);

/* Puts the verdict's place into the reply: VLAN, filter, time. False without memory. */
bool attempt_reply_place(REQUEST *request, const struct attempt *a);

#endif
