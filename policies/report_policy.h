/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What follows from a pump's report of itself (docs/decisions/0150). Pure: [report] of
 * pumpgate.conf comes in as read.
 */
#ifndef POLICIES_REPORT_POLICY_H
#define POLICIES_REPORT_POLICY_H

#include "policies/anomaly.h"

#define REPORT_VERSION_SIZE 33

struct report_policy {
	char min_version[REPORT_VERSION_SIZE]; /* "": there is no lowest version */
	struct anomaly_policy old;	       /* what becomes of ANOMALY_OLD_SOFTWARE */
};

/* [report]; what is not there, or everything without a file (c NULL), has its default: off.
 * ERR_INVALID names the key. */
int report_policy_read(struct config *c, struct report_policy *out) MUST_USE;

/* Below, equal, above zero as strcmp: "1.10.2" is above "1.9". Numbers between points count as
 * numbers, what is missing as 0. Words follow at the end: "1.2-rc1" and "1.2" are of one version.
 */
int report_version_compare(const char *a, const char *b);

/* Begins with a digit, and has only what versions have. */
bool report_version_is(const char *text);

/* Whether the version is too old by the policy. What can't be read as a version is. */
bool report_is_old(const struct report_policy *p, const char *software);

#endif
