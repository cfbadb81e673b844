/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Debian leaves this header out of libfreeradius-dev though autoconf.h includes it. Nothing in it
 * is needed here.
 */
#ifndef SHIM_FREERADIUS_AUTOMASK_H
#define SHIM_FREERADIUS_AUTOMASK_H
#endif
