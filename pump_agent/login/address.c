/* SPDX-License-Identifier: BSD-2-Clause */
/* Owns the form of a server's address. Never asks anybody what a name means. */
#include "pump_agent/login/address.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

int radsec_address_parse(const char *text, struct sockaddr_storage *out, socklen_t *len_out)
{
	struct sockaddr_in *v4 = (struct sockaddr_in *)out;
	struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)out;
	const char *colon = strrchr(text, ':');
	char host[INET6_ADDRSTRLEN + 2];
	char *end;
	long port = colon && colon[1] >= '1' && colon[1] <= '9' ? strtol(colon + 1, &end, 10) : 0;
	size_t n = colon ? (size_t)(colon - text) : 0;

	memset(out, 0, sizeof(*out));
	if (port < 1 || port > 65535 || *end || n >= sizeof(host))
		return err_set(ERR_INVALID, "must be ADDRESS:PORT in numbers");
	memcpy(host, text, n);
	host[n] = '\0';
	if (inet_pton(AF_INET, host, &v4->sin_addr) == 1) {
		v4->sin_family = AF_INET;
		v4->sin_port = htons((uint16_t)port);
		*len_out = sizeof(*v4);
		return 0;
	}
	if (n > 2 && host[0] == '[' && host[n - 1] == ']') {
		host[n - 1] = '\0';
		if (inet_pton(AF_INET6, host + 1, &v6->sin6_addr) == 1) {
			v6->sin6_family = AF_INET6;
			v6->sin6_port = htons((uint16_t)port);
			*len_out = sizeof(*v6);
			return 0;
		}
	}
	return err_set(ERR_INVALID, "must be ADDRESS:PORT in numbers");
}
