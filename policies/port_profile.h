/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Lists of ports as they are written: "tcp/22 udp/161", each once, tcp before udp and in rising
 * order; "" for none. Pure.
 */
#ifndef POLICIES_PORT_PROFILE_H
#define POLICIES_PORT_PROFILE_H

#include <stddef.h>

#include "base/err.h"

/* Brings what a person wrote ("udp/161, tcp/22" or "none") into that form. At most `max` ports.
 * ERR_INVALID says what is wrong, ERR_LIMIT. */
int port_list_parse(const char *text, size_t max, char *out, size_t size) MUST_USE;

/* Of the ports in `open` those that are not in `allowed`, in the same form, as many as `out` has
 * room for; how many they are. */
size_t port_list_beyond(const char *open, const char *allowed, char *out, size_t size);

#endif
