/* SPDX-License-Identifier: BSD-2-Clause */
/* What the clinicians' server (or whoever holds its key) may say to a pump, and what may stand in
 * the pump's own store: read within bounds. */
#include <stdlib.h>
#include <string.h>

#include "pump_agent/login/answer.h"
#include "pump_agent/login/vault.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The bytes as the blob of an answer that is signed well: what lies behind the signature. */
static void as_blob(const uint8_t *data, size_t size)
{
	static struct login_answer a;
	struct radius_packet request, reply;
	uint8_t random[RADIUS_AUTHENTICATOR_BYTES] = {0};

	if (size > LOGIN_BLOB_MAX)
		return;
	radius_begin(&request, RADIUS_ACCESS_REQUEST, 1);
	if (radius_sign_access_request(&request, random, "radsec", 6))
		abort();
	radius_begin(&reply, size & 1 ? RADIUS_ACCESS_ACCEPT : RADIUS_ACCESS_REJECT, 1);
	if (radius_put_vendor(&reply, LOGIN_VENDOR, LOGIN_ATTR_HEARS, data, size) ||
	    radius_sign_reply(&reply, request.data + 4, "radsec", 6))
		abort();
	if (login_answer_parse(reply.data, reply.len, &request, size & 2, &a))
		return;
	if (a.n_codes > BREAK_GLASS_PER_PUMP || a.n_tombstones > ANSWER_TOMBSTONES_MAX ||
	    (a.has_grant && (!a.is_accept || !*a.grant.role)))
		__builtin_trap();
	if (login_answer_parse(data, size, &request, false, &a) == 0) /* nobody has signed it */
		__builtin_trap();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct offline o;

	as_blob(data, size);
	if (vault_parse(data, size, &o) == 0 && o.head.n_people > OFFLINE_PEOPLE_MAX)
		__builtin_trap();
	return 0;
}
