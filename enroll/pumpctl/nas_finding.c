/* SPDX-License-Identifier: BSD-2-Clause */
/* Owns the reading of a NAS's answer to a Disconnect-Request for a session that does not exist. */
#include "enroll/pumpctl/nas_finding.h"

#include <string.h>

/* RFC 5176 3.6 */
#define CAUSE_UNSUPPORTED_ATTRIBUTE 401
#define CAUSE_MISSING_ATTRIBUTE 402
#define CAUSE_NAS_MISMATCH 403
#define CAUSE_INVALID_REQUEST 404
#define CAUSE_UNSUPPORTED_SERVICE 405
#define CAUSE_UNSUPPORTED_EXTENSION 406
#define CAUSE_PROHIBITED 501
#define CAUSE_NOT_ROUTABLE 502
#define CAUSE_NO_SESSION 503

/* Its signature was right, so port and secret are; what it refused is another matter. */
static struct nas_finding nak_read(uint32_t cause)
{
	switch (cause) {
	case CAUSE_NO_SESSION:
		return (struct nas_finding){true, false,
					    "Disconnect works: it knows our secret and said that "
					    "there is no such session",
					    ""};
	case CAUSE_UNSUPPORTED_ATTRIBUTE:
	case CAUSE_MISSING_ATTRIBUTE:
		return (struct nas_finding){
			false, false,
			"the secret is right, but it does not find sessions by Acct-Session-Id",
			"see which attributes its manual wants in a Disconnect-Request"};
	case CAUSE_NAS_MISMATCH:
		return (struct nas_finding){false, false, "it says that it is not the NAS meant",
					    "is another device behind this address?"};
	case CAUSE_UNSUPPORTED_SERVICE:
	case CAUSE_UNSUPPORTED_EXTENSION:
		return (struct nas_finding){
			false, false, "the secret is right, but it does not support Disconnect",
			"switch dynamic authorization on, or `nas add` it with --das-port 0"};
	case CAUSE_NOT_ROUTABLE: /* radsecd's own word */
		return (struct nas_finding){
			false, true,
			"it holds no RadSec connection with one of its certificates now",
			"does it connect? see pumpctl nas show and log/radsecd.log"};
	case CAUSE_PROHIBITED:
		return (struct nas_finding){
			false, false, "the secret is right, but it forbids Disconnect to us",
			"allow this server as dynamic authorization client on the NAS"};
	case CAUSE_INVALID_REQUEST:
	default:
		return (struct nas_finding){
			false, false,
			"the secret is right, but it refused for another reason than the missing "
			"session",
			"try a revocation of a test pump on it, and read its log"};
	}
}

struct nas_finding nas_finding_of(const struct nas_probe *p)
{
	if (!strcmp(p->result, "nak"))
		return nak_read(p->error_cause);
	if (!strcmp(p->result, "ack"))
		return (struct nas_finding){
			false, false,
			"it acknowledged a session that does not exist: its acknowledgements prove "
			"nothing",
			"after a revocation look at the NAS itself"};
	if (!strcmp(p->result, "silent") && strstr(p->detail, "wrong signature"))
		return (struct nas_finding){
			false, false,
			"it answers, but not signed with the secret that is registered",
			"set the same secret for dynamic authorization on the NAS, or `nas "
			"secret`"};
	if (!strcmp(p->result, "silent"))
		return (struct nas_finding){
			false, false, "no answer",
			"switch dynamic authorization on for this server; check port, secret, "
			"firewall, and that its clock is right to 300 s"};
	if (!strcmp(p->result, "untaken"))
		return (struct nas_finding){false, true, "no dispatcher sent it in time",
					    "is pumpgate-dispatchd running? see: pumpctl status"};
	return (struct nas_finding){false, false, "the request cannot be sent",
				    "see the log of pumpgate-dispatchd"};
}
