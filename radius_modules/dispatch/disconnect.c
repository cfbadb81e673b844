/* SPDX-License-Identifier: BSD-2-Clause */
/* Owns the choice of attributes for a Disconnect-Request. Never sends one. */
#include "radius_modules/dispatch/disconnect.h"

#include "radius_modules/radsec/hop.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

int disconnect_address(const struct dispatch_order *order, struct sockaddr_storage *out)
{
	struct sockaddr_in *v4 = (struct sockaddr_in *)out;
	struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)out;

	if (!order->das_port || order->das_port > 65535)
		return err_set(ERR_INVALID, "the NAS takes no Disconnect-Requests (no DAS port)");
	memset(out, 0, sizeof(*out));
	if (inet_pton(AF_INET, order->nas_ip, &v4->sin_addr) == 1) {
		v4->sin_family = AF_INET;
		v4->sin_port = htons((uint16_t)order->das_port);
	} else if (inet_pton(AF_INET6, order->nas_ip, &v6->sin6_addr) == 1) {
		v6->sin6_family = AF_INET6;
		v6->sin6_port = htons((uint16_t)order->das_port);
	} else {
		return err_set(ERR_INVALID, "the NAS address is not an IP address");
	}
	return 0;
}

int disconnect_check(const struct dispatch_order *order)
{
	if (!order->secret.len)
		return err_set(ERR_INVALID, "the NAS has no shared secret");
	if (order->radsec &&
	    (!order->cert_serials[0] || strlen(order->cert_serials) > RADIUS_ATTR_MAX))
		return err_set(ERR_UNAVAILABLE, "the NAS has no certificate in force");
	if (!order->session_id[0] && !order->calling_station[0])
		return err_set(ERR_INVALID, "neither a session nor a station is known");
	return 0;
}

int disconnect_build(const struct dispatch_order *order, uint8_t id, uint32_t wall_s,
		     const void *secret, size_t secret_len, struct radius_packet *out)
{
	int rc;

	radius_begin(out, RADIUS_DISCONNECT_REQUEST, id);
	rc = radius_put_u32(out, RADIUS_EVENT_TIMESTAMP, wall_s);
	if (!rc && order->radsec) /* for radsecd, which takes it out again */
		rc = radius_put_str(out, (enum radius_attr_type)HOP_ATTRIBUTE, order->cert_serials);
	if (!rc && order->session_id[0])
		rc = radius_put_str(out, RADIUS_ACCT_SESSION_ID, order->session_id);
	if (!rc && order->calling_station[0])
		rc = radius_put_str(out, RADIUS_CALLING_STATION_ID, order->calling_station);
	return rc ? rc : radius_sign_request(out, secret, secret_len);
}
