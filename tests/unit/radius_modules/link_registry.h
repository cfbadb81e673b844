/* SPDX-License-Identifier: BSD-2-Clause */
/* A registry in a process of its own, which tests of radiusd's link stop and kill. */
#ifndef TESTS_UNIT_RADIUS_MODULES_LINK_REGISTRY_H
#define TESTS_UNIT_RADIUS_MODULES_LINK_REGISTRY_H

#include "tests/support/cmocka.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "radius_modules/rlm_pump/registry_link.h"

extern char registry_path[64];
extern pid_t registry;

/* What the next registry that is started is like. */
extern int ring_fd;
extern bool gives_ring;
extern bool sealed; /* its map of standings, against shrinking */

int link_setup(void **state); /* a registry runs */
int link_teardown(void **state);
void registry_start(void);
void registry_kill(void);

int ring_new(void);
/* The numbers of the finished events in the ring, in their order, each as a character. */
const char *ring_says(int fd);
bool ring_will_say(int fd, const char *text); /* within ten seconds */

struct registry_link *link_up(void);
/* Asks for a pump that the map of standings does not hold. Returns the question's code. */
int ask(struct registry_link *l, int64_t *took_ms);

#define WITH_REGISTRY(test) cmocka_unit_test_setup_teardown(test, link_setup, link_teardown)

#endif
