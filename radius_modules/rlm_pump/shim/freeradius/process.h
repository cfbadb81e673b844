/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Debian leaves this header out of libfreeradius-dev though radiusd.h includes it. This one
 * declares just what radiusd.h and rlm_pump need; rlm_pump.c asserts the resulting sizes.
 */
#ifndef SHIM_FREERADIUS_PROCESS_H
#define SHIM_FREERADIUS_PROCESS_H

typedef enum RAD_LISTEN_TYPE {
	RAD_LISTEN_NONE = 0,
	RAD_LISTEN_MAX = 9,
} RAD_LISTEN_TYPE;

typedef struct rad_listen rad_listen_t;

typedef enum fr_state_action_t {
	FR_ACTION_INVALID = 0,
} fr_state_action_t;

typedef int (*RAD_REQUEST_FUNP)(REQUEST *);
typedef void (*fr_request_process_t)(REQUEST *, int);

#endif
