/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the agent tells about itself: status.json, for the controller and for technicians. Written
 * and forgotten: the agent never knows whether or by whom it is read. Holds no secret.
 */
#ifndef PUMP_AGENT_STATUS_H
#define PUMP_AGENT_STATUS_H

#include <stdint.h>
#include <stdio.h>

#include "base/buf.h"
#include "base/err.h"
#include "pump_agent/bundle.h"
#include "pump_agent/credential.h"
#include "pump_agent/login/login.h"
#include "pump_agent/machine.h"
#include "pump_agent/self_report.h"
#include "pump_agent/wall_clock.h"

#define STATUS_FILE "status.json"
#define STATUS_WHY_MAX 256

struct status {
	enum agent_state state;
	int64_t since_ms; /* wall clock, when the state began */
	char pump[PUMP_SERIAL_MAX + 1];
	char certificate[CERT_SERIAL_TEXT_MAX]; /* serial number in hex; "" without one */
	int64_t not_after_ms;
	int64_t renew_at_ms;
	char error_step[24]; /* "" when the last thing went well */
	char error_text[STATUS_WHY_MAX];
	int64_t error_at_ms;
	struct clock_report clock;
	bool has_logins; /* a controller is served */
	struct login_standing logins;
	char told[SELF_TOLD_WORD_SIZE]; /* how the server says that the pump stands; "": not said */
	char told_reason[SELF_TOLD_REASON_SIZE];
};

/* JSON with a newline at the end. ERR_NOMEM, ERR_LIMIT. */
int status_build(const struct status *st, struct buf *out) MUST_USE;

/* Shows a state folder's status.json: as it is, or as lines for people. ERR_NOT_FOUND when no agent
 * ever ran on it. */
int status_print(const char *dir, bool json, FILE *out) MUST_USE;

#endif
