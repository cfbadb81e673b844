/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the agent takes from itself, whoever started it and however: the controller on the same
 * processor must not feel it. The systemd unit adds bounds that need the system's help (cgroup).
 */
#ifndef PUMP_AGENT_CONFINE_H
#define PUMP_AGENT_CONFINE_H

#include "base/err.h"

/*
 * First call in main's run: no real-time priority, though its parent has one; less of the processor
 * than others get; the first to go when memory runs out; 128 MiB at most. For good: what the filter
 * below forbids can't be undone. ERR_IO. Memory is not bounded in sanitized builds.
 */
int confine_bounds(void) MUST_USE;

/* The system calls that the agent needs; it can't listen, start a program or change its priority.
 * For all threads. Does nothing in sanitized builds. ERR_IO. */
int confine_calls(void) MUST_USE;

#endif
