/* SPDX-License-Identifier: BSD-2-Clause */
/* The vendors' texts for NAS that speak RadSec. Within pumpctl's NAS configuration only. */
#ifndef ENROLL_PUMPCTL_NAS_CONFIG_RADSEC_H
#define ENROLL_PUMPCTL_NAS_CONFIG_RADSEC_H

/* With words in braces as in nas_config.c; NULL: no such vendor, or it can't. */
const char *nas_config_radsec(const char *vendor);

#endif
