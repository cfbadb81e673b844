/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Debian leaves this header out of libfreeradius-dev though radiusd.h includes it. This one
 * declares just what radiusd.h and rlm_pump need; rlm_pump.c asserts the resulting sizes.
 */
#ifndef SHIM_FREERADIUS_XLAT_H
#define SHIM_FREERADIUS_XLAT_H

typedef struct xlat_exp xlat_exp_t;

#endif
