/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Accounting-Requests to the registry. RFC 2866 2: no response before the packet is recorded. */
#include "radius_modules/rlm_pump/rlm_pump.h"

#include "base/clock.h"
#include "radius_modules/rlm_pump/class_code.h"
#include "radius_modules/rlm_pump/mac_text.h"

#define DELAY_MAX_S 86400 /* a NAS that claims to be later than that has a wrong clock */

/* NULL for a status that opens or closes nothing (RFC 2867's tunnels and the like). */
static const char *type_name(uint32_t status)
{
	switch (status) {
	case PW_STATUS_START:
		return "start";
	case PW_STATUS_STOP:
		return "stop";
	case PW_STATUS_ALIVE:
		return "interim";
	case PW_STATUS_ACCOUNTING_ON:
		return "on";
	case PW_STATUS_ACCOUNTING_OFF:
		return "off";
	default:
		return NULL;
	}
}

/* The first Class that is ours; a NAS may add others. */
static void owner_read(REQUEST *request, struct acct_event *e)
{
	vp_cursor_t cursor;
	struct class_code code;

	(void)fr_cursor_init(&cursor, &request->packet->vps);
	for (VALUE_PAIR *vp; (vp = fr_cursor_next_by_num(&cursor, PW_CLASS, 0, TAG_ANY));)
		if (!class_parse(vp->vp_octets, vp->vp_length, &code)) {
			memcpy(e->device, code.device, sizeof(e->device));
			memcpy(e->cert_serial, code.cert_serial, sizeof(e->cert_serial));
			return;
		}
}

static void cause_read(REQUEST *request, struct acct_event *e)
{
	VALUE_PAIR *vp =
		fr_pair_find_by_num(request->packet->vps, PW_ACCT_TERMINATE_CAUSE, 0, TAG_ANY);

	if (vp)
		vp_prints_value(e->cause, sizeof(e->cause), vp, 0);
}

static void event_read(REQUEST *request, struct acct_event *e)
{
	VALUE_PAIR *vps = request->packet->vps;
	uint32_t delay_s = pump_number(vps, PW_ACCT_DELAY_TIME, 0);

	e->at = clock_wall_ms() - (int64_t)(delay_s < DELAY_MAX_S ? delay_s : 0) * 1000;
	PUMP_TEXT(e->identity, vps, PW_USER_NAME);
	PUMP_TEXT(e->calling_station, vps, PW_CALLING_STATION_ID);
	PUMP_TEXT(e->session_id, vps, PW_ACCT_SESSION_ID);
	if (mac_normalise(e->calling_station, e->mac))
		e->mac[0] = '\0';
	pump_nas_port(request, e->nas_port, sizeof(e->nas_port));
	pump_source_ip(request, e->nas_ip);
	if (str_copy(e->nas, sizeof(e->nas), pump_nas_name(request)))
		e->nas[0] = '\0';
	e->input_octets = (uint64_t)pump_number(vps, PW_ACCT_INPUT_GIGAWORDS, 0) << 32 |
			  pump_number(vps, PW_ACCT_INPUT_OCTETS, 0);
	e->output_octets = (uint64_t)pump_number(vps, PW_ACCT_OUTPUT_GIGAWORDS, 0) << 32 |
			   pump_number(vps, PW_ACCT_OUTPUT_OCTETS, 0);
	e->session_s = pump_number(vps, PW_ACCT_SESSION_TIME, 0);
	owner_read(request, e);
	cause_read(request, e);
}

rlm_rcode_t pump_accounting(struct pump_shared *s, REQUEST *request)
{
	const char *type = type_name(pump_number(request->packet->vps, PW_ACCT_STATUS_TYPE, 0));
	struct acct_event e = {0};
	int rc;

	if (!type)
		return RLM_MODULE_NOOP;
	memcpy(e.type, type, strlen(type));
	event_read(request, &e);
	registry_link_request_begin(s->link);
	rc = registry_link_acct_event(s->link, &e);
	if (!rc)
		return RLM_MODULE_OK;
	radlog(L_ERR, "pump.accounting type=%s nas=%s answer=silence detail=\"%s\"", type, e.nas,
	       err_text());
	return RLM_MODULE_FAIL;
}
