/* SPDX-License-Identifier: BSD-2-Clause */
/* The tokens by which radsecd, radiusd and dispatchd know each other on this machine. */
#ifndef ENROLL_PUMPCTL_HOP_TOKENS_H
#define ENROLL_PUMPCTL_HOP_TOKENS_H

#include "enroll/pumpctl/settings.h"

/* Makes each pair of copies (mode 0600, one per end) that is missing or differs. *changed becomes
 * true when it did. ERR_IO and others. Blocks on the disk. */
int hop_tokens_apply(const struct settings *s, bool *changed) MUST_USE;

#endif
