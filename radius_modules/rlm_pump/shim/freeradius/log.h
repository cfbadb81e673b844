/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Debian leaves this header out of libfreeradius-dev though radiusd.h includes it. This one
 * declares just what radiusd.h and rlm_pump need; rlm_pump.c asserts the resulting sizes.
 */
#ifndef SHIM_FREERADIUS_LOG_H
#define SHIM_FREERADIUS_LOG_H

#include <stdarg.h>

typedef enum log_type {
	L_AUTH = 2,
	L_INFO = 3,
	L_ERR = 4,
	L_WARN = 5,
	L_ACCT = 7,
	L_DBG = 16,
} log_type_t;

typedef enum log_lvl {
	L_DBG_LVL_DISABLE = -1,
	L_DBG_LVL_OFF = 0,
	L_DBG_LVL_1,
	L_DBG_LVL_2,
	L_DBG_LVL_3,
	L_DBG_LVL_MAX,
} log_lvl_t;

typedef void (*radlog_func_t)(log_type_t type, log_lvl_t level, REQUEST *request, char const *fmt,
			      va_list ap);

int radlog(log_type_t type, char const *fmt, ...) __attribute__((format(printf, 2, 3)));
void radlog_request(log_type_t type, log_lvl_t level, REQUEST *request, char const *fmt, ...)
	__attribute__((format(printf, 4, 5)));

#endif
