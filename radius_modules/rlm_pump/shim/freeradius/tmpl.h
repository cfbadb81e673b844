/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Debian leaves this header out of libfreeradius-dev though radiusd.h includes it. This one
 * declares just what radiusd.h and rlm_pump need; rlm_pump.c asserts the resulting sizes.
 */
#ifndef SHIM_FREERADIUS_TMPL_H
#define SHIM_FREERADIUS_TMPL_H

typedef struct vp_tmpl_t vp_tmpl_t;
typedef struct pair_list PAIR_LIST;
typedef enum requests_ref_t { REQUEST_UNKNOWN = 0 } request_refs_t;
typedef enum pair_lists_t { PAIR_LIST_UNKNOWN = 0 } pair_lists_t;

#endif
