/* SPDX-License-Identifier: BSD-2-Clause */
/* Owns [report] of pumpgate.conf and the order of versions. Pure. */
#include "policies/report_policy.h"

#include <ctype.h>
#include <string.h>

#include "base/buf.h"

#define PUMPS_PER_HOUR 10

bool report_version_is(const char *text)
{
	static const char chars[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
				    "0123456789.-+~_";

	return isdigit((unsigned char)*text) && strspn(text, chars) == strlen(text) &&
	       strlen(text) < REPORT_VERSION_SIZE;
}

/* The number that *at begins with, and *at behind it and its point; 0 at the end. At most 32 digits
 * are there, of which more than 18 count as the highest. */
static uint64_t part_take(const char **at)
{
	uint64_t n = 0;
	unsigned digits = 0;

	for (; isdigit((unsigned char)**at); (*at)++) {
		n = n * 10 + (uint64_t)(**at - '0');
		if (n && ++digits > 18)
			n = 1000000000000000000ULL;
	}
	if (**at == '.')
		(*at)++;
	else
		*at += strlen(*at); /* words, or the end */
	return n;
}

int report_version_compare(const char *a, const char *b)
{
	while (*a || *b) {
		uint64_t of_a = part_take(&a), of_b = part_take(&b);

		if (of_a != of_b)
			return of_a < of_b ? -1 : 1;
	}
	return 0;
}

bool report_is_old(const struct report_policy *p, const char *software)
{
	if (!*p->min_version)
		return false;
	return !report_version_is(software) || report_version_compare(software, p->min_version) < 0;
}

static int quarantine_read(struct config *c, struct report_policy *p)
{
	const char *text = config_str(c, "report", "quarantine", "no");

	if (strcmp(text, "yes") && strcmp(text, "no"))
		return err_set(ERR_INVALID, "pumpgate.conf: [report] quarantine is yes or no");
	if (strcmp(text, "yes"))
		return 0;
	if (!*p->min_version)
		return err_set(ERR_INVALID, "pumpgate.conf: [report] quarantine = yes needs "
					    "min_version");
	p->old.quarantine = 1u << ANOMALY_OLD_SOFTWARE;
	return 0;
}

int report_policy_read(struct config *c, struct report_policy *out)
{
	struct report_policy p = {
		.old = {.pumps_per_hour = PUMPS_PER_HOUR, .pumps_per_nas = UINT32_MAX}};
	const char *lowest;
	int rc;

	if (!c) {
		*out = p;
		return 0;
	}
	lowest = config_str(c, "report", "min_version", "");
	if ((*lowest && !report_version_is(lowest)) ||
	    str_copy(p.min_version, sizeof(p.min_version), lowest))
		return err_set(ERR_INVALID,
			       "pumpgate.conf: [report] min_version = %.32s: such as 1.4.0",
			       lowest);
	rc = quarantine_read(c, &p);
	if (!rc)
		rc = config_u32(c, "report", "pumps_per_hour", PUMPS_PER_HOUR, 1, 1000,
				&p.old.pumps_per_hour);
	if (!rc)
		rc = config_check_unused(c, "report");
	if (!rc)
		*out = p;
	return rc;
}
