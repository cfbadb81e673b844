/* SPDX-License-Identifier: BSD-2-Clause */
/* Is a new password or PIN worth having? Pure but for the dictionary that libpwquality reads. */
#ifndef ENROLL_PUMPCTL_STRENGTH_H
#define ENROLL_PUMPCTL_STRENGTH_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

/* On the bundled list of what people choose most (hospitals' own words among them), in any case,
 * also with "!", "." or digits put behind. */
bool strength_is_listed(const char *password);
/* By the list and by libpwquality (at least 10 characters; no plain word, row or palindrome;
 * nothing of the name). `len` bytes that end in NUL. ERR_INVALID says why not, ERR_NOMEM. */
int strength_password(const char *password, const char *name) MUST_USE;
/* 4 to 16 digits; not one digit, no row, not one of the PINs that everybody chooses. ERR_INVALID.
 */
int strength_pin(const char *pin) MUST_USE;

#endif
