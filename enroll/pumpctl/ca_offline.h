/* SPDX-License-Identifier: BSD-2-Clause */
/* The server's side of an offline root, as `init --offline-root` uses it too. */
#ifndef ENROLL_PUMPCTL_CA_OFFLINE_H
#define ENROLL_PUMPCTL_CA_OFFLINE_H

#include <stdbool.h>

#include "base/err.h"

/* The request of the issuing CA `what` ("device", "server") into the file `to`, "-" for standard
 * output; its key is made when there is none, or is the token's that `uri` names (NULL: none).
 * next: of the CA that is to follow it in a roll-over. ERR_IO with what signerd said. */
int ca_request_fetch(const char *home, const char *what, const char *uri, bool next,
		     const char *to) MUST_USE;

#endif
