/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Owns reading what a TLS handshake came to: FreeRADIUS 3.2 notes version and cipher in the list
 * session-state of the request that carries EAP, when the handshake is over, full or resumed.
 */
#include "radius_modules/rlm_pump/rlm_pump.h"

#include "policies/tls_profile.h"

/* Only what a cipher's name has: it goes to logs and tables. */
static bool is_name(const char *text)
{
	static const char chars[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
				    "0123456789-_";

	return strspn(text, chars) == strlen(text);
}

void pump_tls_seen(REQUEST *request, struct tls_seen *out)
{
	REQUEST *outer = request->parent ? request->parent : request;
	char version[STATE_SIZE];

	memset(out, 0, sizeof(*out));
	PUMP_TEXT(version, outer->state, PW_TLS_SESSION_VERSION);
	out->version = tls_version_parse(version);
	if (!out->version)
		return;
	PUMP_TEXT(out->cipher, outer->state, PW_TLS_SESSION_CIPHER_SUITE);
	if (!is_name(out->cipher))
		out->cipher[0] = '\0';
}
