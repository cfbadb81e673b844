/* SPDX-License-Identifier: BSD-2-Clause */
/* Owns how roll-overs are shown. Never asks anybody. */
#include "enroll/pumpctl/rollover_print.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/clock.h"
#include "enroll/pumpctl/report.h"
#include "enroll/pumpctl/rollover.h"

#define NAME_MAX_BYTES 128

static void name_of(const X509 *cert, char out[NAME_MAX_BYTES])
{
	int at = X509_NAME_get_index_by_NID(X509_get_subject_name(cert), NID_commonName, -1);
	const ASN1_STRING *cn = at < 0 ? NULL
				       : X509_NAME_ENTRY_get_data(X509_NAME_get_entry(
						 X509_get_subject_name(cert), at));

	snprintf(out, NAME_MAX_BYTES, "%.*s", cn ? ASN1_STRING_length(cn) : 1,
		 cn ? (const char *)ASN1_STRING_get0_data(cn) : "?");
}

void rollover_ca_print(const char *what, X509 *cert)
{
	char name[NAME_MAX_BYTES], sha[65];

	name_of(cert, name);
	if (rollover_sha256(cert, sha))
		sha[0] = '\0';
	printf("%-9s %s, SHA-256 %s\n", what, name, sha);
}

json_t *rollover_ca_json(X509 *cert)
{
	char name[NAME_MAX_BYTES], sha[65];

	name_of(cert, name);
	return rollover_sha256(cert, sha)
		       ? NULL
		       : json_pack("{s:o s:s}", "name", text_to_json(name), "sha256", sha);
}

void rollover_lack_print(const struct anchor_lack *l)
{
	char at[CLOCK_TEXT_MAX];

	clock_format(l->reported_at, at);
	printf("  lacking %-16s %-10s %-10s last report %s\n", l->device, l->ward, l->model,
	       l->reported_at ? at : "never");
}

void rollover_told_print(const struct call *call, json_t *servers, const char *server,
			 const char *what, int64_t away_ms)
{
	json_array_append_new(servers, json_pack("{s:s s:s s:I}", "server", server, "done", what,
						 "away_ms", (json_int_t)away_ms));
	if (away_ms)
		report_line(call, "%-7s  %s, was away for %" PRId64 " ms", server, what, away_ms);
	else
		report_line(call, "%-7s  %s", server, what);
}
