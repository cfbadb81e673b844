/* SPDX-License-Identifier: BSD-2-Clause */
/* Owns the rewriting of packets. Never knows a socket, never keeps a packet. */
#include "radius_modules/radsec/relay.h"

#include <string.h>

#define CAUSE_NOT_ROUTABLE 502

int relay_length(const uint8_t *data, size_t len, size_t *packet_len_out)
{
	size_t n;

	*packet_len_out = 0;
	if (len < 4)
		return 0;
	n = (size_t)data[2] << 8 | data[3];
	if (n < RADIUS_HEADER_BYTES || n > RADIUS_PACKET_MAX)
		return err_set(ERR_INVALID, "a RADIUS packet of %zu bytes", n);
	*packet_len_out = n;
	return 0;
}

/* All attributes but signature and hop, in their order. `hops_out` counts the latter. */
static int attributes_copy(const struct radius_view *in, struct radius_packet *out,
			   unsigned *hops_out)
{
	struct radius_attr a;
	size_t at = 0;
	int rc = 0;

	*hops_out = 0;
	while (!rc && radius_attr_next(in, &at, &a)) {
		if (a.type == HOP_ATTRIBUTE)
			(*hops_out)++;
		else if (a.type != RADIUS_MESSAGE_AUTHENTICATOR)
			rc = radius_put(out, (enum radius_attr_type)a.type, a.value, a.len);
	}
	return rc;
}

static void asked_keep(const struct radius_view *in, const struct radius_packet *sent,
		       struct relay_asked *out)
{
	*out = (struct relay_asked){.waiting = true, .code = in->code, .id = in->id};
	memcpy(out->authenticator, in->authenticator, sizeof(out->authenticator));
	memcpy(out->sent, sent->data + RADIUS_HEADER_BYTES - RADIUS_AUTHENTICATOR_BYTES,
	       sizeof(out->sent));
}

int relay_request(const struct radius_view *in, const char *hop, struct relay_asked *asked_out,
		  struct radius_packet *out)
{
	unsigned hops;
	int rc;

	radius_begin(out, (enum radius_code)in->code, in->id);
	rc = radius_put(out, (enum radius_attr_type)HOP_ATTRIBUTE, hop, strlen(hop));
	if (!rc)
		rc = attributes_copy(in, out, &hops);
	if (!rc && hops)
		rc = err_set(ERR_INVALID, "attribute %d may not come from a NAS", HOP_ATTRIBUTE);
	if (rc)
		return rc;
	rc = in->code == RADIUS_ACCESS_REQUEST
		     ? radius_sign_access_request(out, in->authenticator, RADSEC_SECRET,
						  RADSEC_SECRET_LEN)
		     : radius_sign_request(out, RADSEC_SECRET, RADSEC_SECRET_LEN);
	if (!rc)
		asked_keep(in, out, asked_out);
	return rc;
}

static bool answers(uint8_t asked, uint8_t answer)
{
	if (asked == RADIUS_ACCOUNTING_REQUEST)
		return answer == RADIUS_ACCOUNTING_RESPONSE;
	return answer == RADIUS_ACCESS_ACCEPT || answer == RADIUS_ACCESS_REJECT ||
	       answer == RADIUS_ACCESS_CHALLENGE;
}

int relay_answer(const struct radius_view *in, const struct relay_asked *asked,
		 struct radius_packet *out)
{
	unsigned hops;
	int rc = radius_verify_reply(in, asked->sent, RADSEC_SECRET, RADSEC_SECRET_LEN, false);

	if (rc)
		return rc;
	if (!answers(asked->code, in->code))
		return err_set(ERR_INVALID, "code %u answers no request of code %u", in->code,
			       asked->code);
	radius_begin(out, (enum radius_code)in->code, asked->id);
	rc = attributes_copy(in, out, &hops);
	return rc ? rc
		  : radius_sign_reply(out, asked->authenticator, RADSEC_SECRET, RADSEC_SECRET_LEN);
}

int relay_status(const struct radius_view *in, struct radius_packet *out)
{
	radius_begin(out, RADIUS_ACCESS_ACCEPT, in->id);
	return radius_sign_reply(out, in->authenticator, RADSEC_SECRET, RADSEC_SECRET_LEN);
}

int relay_disconnect(const struct radius_view *in, const char *token, uint8_t id,
		     char serials[RELAY_SERIALS_SIZE], struct relay_asked *asked_out,
		     struct radius_packet *out)
{
	struct radius_attr a;
	unsigned hops;
	int rc = in->code == RADIUS_DISCONNECT_REQUEST
			 ? radius_verify_request(in, token, HOP_TOKEN_CHARS, true)
			 : err_set(ERR_INVALID, "code %u is no Disconnect-Request", in->code);

	if (rc)
		return rc;
	if (!radius_attr_find(in, (enum radius_attr_type)HOP_ATTRIBUTE, &a))
		return err_set(ERR_INVALID, "it does not say for which NAS it is");
	memcpy(serials, a.value, a.len);
	serials[a.len] = '\0';
	radius_begin(out, RADIUS_DISCONNECT_REQUEST, id);
	rc = attributes_copy(in, out, &hops);
	if (!rc)
		rc = radius_sign_request(out, RADSEC_SECRET, RADSEC_SECRET_LEN);
	if (!rc)
		asked_keep(in, out, asked_out);
	return rc;
}

int relay_disconnect_answer(const struct radius_view *in, const struct relay_asked *asked,
			    const char *token, struct radius_packet *out)
{
	unsigned hops;
	int rc = radius_verify_reply(in, asked->sent, RADSEC_SECRET, RADSEC_SECRET_LEN, false);

	if (rc)
		return rc;
	if (in->code != RADIUS_DISCONNECT_ACK && in->code != RADIUS_DISCONNECT_NAK)
		return err_set(ERR_INVALID, "code %u answers no Disconnect-Request", in->code);
	radius_begin(out, (enum radius_code)in->code, asked->id);
	rc = attributes_copy(in, out, &hops);
	return rc ? rc : radius_sign_reply(out, asked->authenticator, token, HOP_TOKEN_CHARS);
}

int relay_disconnect_unroutable(const struct radius_view *in, const char *token,
				struct radius_packet *out)
{
	int rc;

	radius_begin(out, RADIUS_DISCONNECT_NAK, in->id);
	rc = radius_put_u32(out, RADIUS_ERROR_CAUSE, CAUSE_NOT_ROUTABLE);
	return rc ? rc : radius_sign_reply(out, in->authenticator, token, HOP_TOKEN_CHARS);
}
