/* SPDX-License-Identifier: BSD-2-Clause */
/* The fields of an HTTP answer that the agent reads. Pure; they come from a peer. */
#ifndef PUMP_AGENT_HTTP_FIELDS_H
#define PUMP_AGENT_HTTP_FIELDS_H

#include <stdint.h>

#define HTTP_RETRY_MAX_S 31536000 /* a longer Retry-After is taken as this */

/* A date in any of the three forms (RFC 9110 5.6.7), in seconds since 1970; 0: none, or none
 * after 1970. NULL ok. */
int64_t http_date_parse(const char *text);

/* Retry-After (RFC 9110 10.2.3), seconds or a date: how many seconds from `now_s`, at most
 * HTTP_RETRY_MAX_S; 0: it does not say, or is past. NULL ok. */
int64_t http_retry_parse(const char *text, int64_t now_s);

#endif
