/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns the way between FreeRADIUS's attribute lists and text. */
#include "radius_modules/rlm_pump/rlm_pump.h"

#define DO_NOT_RESPOND 256
#define EAP_CODE_FAILURE 4

void pump_text(char *out, size_t size, VALUE_PAIR *list, unsigned int attribute)
{
	VALUE_PAIR *vp = fr_pair_find_by_num(list, attribute, 0, TAG_ANY);

	out[0] = '\0';
	if (!vp || vp->vp_length >= size || memchr(vp->data.ptr, 0, vp->vp_length))
		return;
	memcpy(out, vp->data.ptr, vp->vp_length);
	out[vp->vp_length] = '\0';
}

uint32_t pump_number(VALUE_PAIR *list, unsigned int attribute, uint32_t fallback)
{
	VALUE_PAIR *vp = fr_pair_find_by_num(list, attribute, 0, TAG_ANY);

	return vp ? vp->vp_integer : fallback;
}

void pump_nas_port(REQUEST *request, char *out, size_t size)
{
	VALUE_PAIR *vp;

	pump_text(out, size, request->packet->vps, PW_NAS_PORT_ID);
	if (*out)
		return;
	vp = fr_pair_find_by_num(request->packet->vps, PW_NAS_PORT, 0, TAG_ANY);
	if (vp)
		snprintf(out, size, "%u", vp->vp_integer);
}

bool pump_reply(REQUEST *request, char const *attribute, char const *value)
{
	return pair_make_reply(attribute, value, T_OP_SET) != NULL;
}

bool pump_reply_number(REQUEST *request, char const *attribute, uint32_t value)
{
	char text[12];

	snprintf(text, sizeof(text), "%u", value);
	return pump_reply(request, attribute, text);
}

bool pump_is_silenced(REQUEST *request)
{
	return pump_number(request->config, PW_RESPONSE_PACKET_TYPE, 0) == DO_NOT_RESPOND;
}

rlm_rcode_t pump_silence(REQUEST *request)
{
	pair_make_config("Response-Packet-Type", "Do-Not-Respond", T_OP_SET);
	return RLM_MODULE_HANDLED;
}

void pump_reply_reduce_to_failure(REQUEST *request)
{
	VALUE_PAIR *vp = fr_pair_find_by_num(request->reply->vps, PW_EAP_MESSAGE, 0, TAG_ANY);
	uint8_t eap[4] = {EAP_CODE_FAILURE, 0, 0, sizeof(eap)};
	bool had_eap = vp != NULL;

	if (vp && vp->vp_length >= sizeof(eap))
		eap[1] = vp->vp_octets[1]; /* the identifier, RFC 3748 4.2 */
	fr_pair_list_free(&request->reply->vps);
	if (!had_eap)
		return;
	vp = fr_pair_afrom_num(request->reply, PW_EAP_MESSAGE, 0);
	if (!vp)
		return;
	fr_pair_value_memcpy(vp, eap, sizeof(eap));
	fr_pair_add(&request->reply->vps, vp);
}
