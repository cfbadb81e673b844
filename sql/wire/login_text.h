/* SPDX-License-Identifier: BSD-2-Clause */
/* Names, badges and passwords as they come from people and pumps, brought into the one form that is
 * compared. Pure: any bytes in. */
#ifndef SQL_WIRE_LOGIN_TEXT_H
#define SQL_WIRE_LOGIN_TEXT_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "sql/wire/login_wire.h"

#define PIN_MIN 4
#define PASSWORD_MIN 10

/* Case is folded (nameprep, RFC 3491). ERR_INVALID: empty, a NUL, no UTF-8, characters that no name
 * has, more than 64 bytes. */
int login_name_prepare(const uint8_t *in, size_t len, char out[LOGIN_USER_SIZE]) MUST_USE;
/* Printable ASCII without blanks, 1 to 64 bytes. ERR_INVALID. */
int login_badge_prepare(const uint8_t *in, size_t len, char out[LOGIN_USER_SIZE]) MUST_USE;
/* SASLprep (RFC 4013). ERR_INVALID: empty, also once it is prepared; a NUL, no UTF-8, characters
 * that no password has, more than 128 bytes. The caller wipes `out`. */
int login_password_prepare(const uint8_t *in, size_t len,
			   char out[LOGIN_PASSWORD_MAX + 1]) MUST_USE;

/* What a new secret must have at least, whoever checked it before: the rest is pumpctl's to say,
 * which knows the words. A prepared password; a PIN of digits that are not all the same and no row.
 * ERR_INVALID says what is missing. */
int password_floor(const char *password, const char *name) MUST_USE;
int pin_floor(const char *pin) MUST_USE;

#endif
