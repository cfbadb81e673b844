/* SPDX-License-Identifier: BSD-2-Clause */
/* Owns the reading of [anomaly] in pumpgate.conf. Pure: the file was read by the caller. */
#include <string.h>

#include "base/buf.h"
#include "policies/anomaly.h"

#define SITE_INTERVAL "10m"
#define SITE_INTERVAL_MS (10LL * 60 * 1000)
#define PUMPS_PER_HOUR 10
#define PUMPS_PER_NAS 3

/* Only what proves that the pump's own key is in use where it should not be. */
static bool may_quarantine(enum anomaly_kind k)
{
	return k == ANOMALY_TWO_MACS || k == ANOMALY_TWO_SITES || k == ANOMALY_IDENTITY_MISMATCH;
}

static int kinds_read(const char *text, uint32_t *out)
{
	char copy[128], *at = copy, *word;
	int rc = str_copy(copy, sizeof(copy), text);

	*out = 0;
	if (rc)
		return err_set(ERR_INVALID, "pumpgate.conf: [anomaly] quarantine is too long");
	while ((word = strsep(&at, ", \t"))) {
		enum anomaly_kind k = anomaly_parse(word);

		if (!*word || k == ANOMALY_NONE) {
			if (*word && strcmp(word, "none") != 0)
				return err_set(ERR_INVALID,
					       "pumpgate.conf: [anomaly] quarantine = %.32s: none, "
					       "or two-macs, two-sites, identity-mismatch",
					       word);
			continue;
		}
		if (!may_quarantine(k))
			return err_set(ERR_INVALID,
				       "pumpgate.conf: [anomaly] quarantine = %s: that says too "
				       "little about a pump; only two-macs, two-sites, "
				       "identity-mismatch",
				       word);
		*out |= 1u << k;
	}
	return 0;
}

int anomaly_policy_read(struct config *c, struct anomaly_policy *out)
{
	struct anomaly_policy p = {.site_interval_ms = SITE_INTERVAL_MS,
				   .pumps_per_hour = PUMPS_PER_HOUR,
				   .pumps_per_nas = PUMPS_PER_NAS};
	int rc;

	if (!c) {
		*out = p;
		return 0;
	}
	rc = kinds_read(config_str(c, "anomaly", "quarantine", "none"), &p.quarantine);
	if (!rc)
		rc = config_duration(c, "anomaly", "site_interval", SITE_INTERVAL,
				     &p.site_interval_ms);
	if (!rc)
		rc = config_u32(c, "anomaly", "pumps_per_hour", PUMPS_PER_HOUR, 1, 1000,
				&p.pumps_per_hour);
	if (!rc)
		rc = config_u32(c, "anomaly", "pumps_per_nas", PUMPS_PER_NAS, 1, 1000,
				&p.pumps_per_nas);
	if (!rc)
		rc = config_check_unused(c, "anomaly");
	if (!rc)
		*out = p;
	return rc;
}
