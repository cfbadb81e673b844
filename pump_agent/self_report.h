/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the pump says of itself to its server, and what it is told in return: POST to the status
 * resource beside EST (docs/decisions/0150). Pure.
 */
#ifndef PUMP_AGENT_SELF_REPORT_H
#define PUMP_AGENT_SELF_REPORT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "ca/request/wipe_statement.h"
#include "pump_agent/open_ports.h"
#include "pump_agent/pumplink/pumplink.h"
#include "pump_agent/wall_clock.h"
#include "pump_agent/x509_auto.h"

#define SELF_REPORT_MAX 4096
#define SELF_TOLD_MAX 4096
#define SELF_TOLD_WORD_SIZE 17
#define SELF_TOLD_REASON_SIZE 256

struct self_slot {
	X509 *cert; /* not owned; NULL: the slot is empty */
	bool in_use;
};

struct self_report {
	const char *software;
	bool key_in_tpm;
	enum pumplink_infusing infusing;
	struct clock_report clock;
	struct self_slot slots[2];
	const STACK_OF(X509) * server;	/* anchors; NULL: none */
	const STACK_OF(X509) * devices; /* likewise */
	struct open_ports ports;
};
/* JSON, version 1. ERR_LIMIT, ERR_NOMEM, ERR_CRYPTO. */
int self_report_build(const struct self_report *r, struct buf *out) MUST_USE;

/* The server's word. state: "enrolled", "quarantined", "parked", "revoked", "held", "unknown" (the
 * registry does not know this certificate). For "revoked" there is a reason and nothing else. */
struct self_told {
	char state[SELF_TOLD_WORD_SIZE];
	char certificate[SELF_TOLD_WORD_SIZE]; /* "valid", "superseded", ...; "": not said */
	char reason[SELF_TOLD_REASON_SIZE];    /* a person's words, or "" */
	char wipe[WIPE_ORDER_SIZE];	       /* the order to wipe; "": none */
};
/* Members that are not known are passed over. ERR_INVALID. */
int self_told_parse(const void *json, size_t len, struct self_told *out) MUST_USE;

#endif
