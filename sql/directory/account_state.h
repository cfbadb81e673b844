/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a directory says about an account besides the password: the attributes of Active Directory
 * and of common LDAP servers, and the reason codes that Active Directory hides in the diagnostic
 * message of a refused bind. Pure.
 */
#ifndef SQL_DIRECTORY_ACCOUNT_STATE_H
#define SQL_DIRECTORY_ACCOUNT_STATE_H

#include "sql/directory/directory.h"

/* The attributes to ask for, NULL at the end; those of other makers are just not there. */
extern const char *const account_state_attributes[];

/*
 * One value of one of those attributes: DIRECTORY_GOOD, or why this account may not log in
 * (DISABLED, EXPIRED, LOCKED, MUST_CHANGE). A value that can't be read is DISABLED.
 * [MS-ADTS] 2.2.16 (userAccountControl), 3.1.1.4.5.17 (msDS-User-Account-Control-Computed).
 */
enum directory_verdict account_state_of(const char *attribute, const char *value, int64_t now_ms);

/*
 * Why a bind was refused with invalidCredentials (49): Active Directory's "...
 * AcceptSecurityContext error, data 533, v1db1"; the number is hex of a Windows error code.
 * Anything else is WRONG_PASSWORD.
 */
enum directory_verdict bind_refusal_of(const char *diagnostic);

#endif
