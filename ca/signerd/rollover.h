/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The issuing CA of a hierarchy and its successor below the same root (docs/decisions/0152), as
 * files of HOME/ca: WHAT-next.{key,pem} until the switch, WHAT-old.{key,pem} from then on. Which of
 * them are there is the whole state, so each step can be killed anywhere and is repeated.
 */
#ifndef CA_SIGNERD_ROLLOVER_H
#define CA_SIGNERD_ROLLOVER_H

#include "base/err.h"

/* Ends a switch that was killed between its two files. To be called before the key is used.
 * ERR_IO. */
int rollover_settle(const char *home, const char *what) MUST_USE;

/* "start", "switch", "finish", "abort" or "status" of `what`, "server". Each ends by printing the
 * state (idle, started or switched) and the certificates in PEM: root, issuing CA, and the next or
 * the previous one. EXIT_NOTHING: it was so already. */
int command_rollover(const char *home, const char *step, const char *what);

#endif
