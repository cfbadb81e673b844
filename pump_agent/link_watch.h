/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Tells when the cable of an interface is pulled and put in again (rtnetlink, RTM_NEWLINK): a wired
 * wpa_supplicant does not notice by itself that it is on another port now.
 */
#ifndef PUMP_AGENT_LINK_WATCH_H
#define PUMP_AGENT_LINK_WATCH_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

struct event_base;
struct link_watch;

/* On the loop thread, at changes only: down at once, up when it has lasted for 200 ms. */
typedef void (*link_watch_change)(void *ctx, bool is_up);

/* `interface` is copied; it need not exist yet. ERR_IO, ERR_LIMIT (name too long), ERR_NOMEM. */
int link_watch_new(struct event_base *base, const char *interface, link_watch_change change,
		   void *ctx, struct link_watch **out) MUST_USE;
/* No carrier, or switched off. */
bool link_watch_is_down(const struct link_watch *w);
void link_watch_free(struct link_watch *w); /* NULL ok */

enum link_news { LINK_NO_NEWS = 0, LINK_DOWN, LINK_UP };

/* What one datagram of the kernel last says about the interface. Pure. */
enum link_news link_news_parse(const void *datagram, size_t len, const char *interface);

#endif
