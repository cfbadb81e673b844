/* SPDX-License-Identifier: BSD-2-Clause */
/* A running service in a scratch home, and this process as its peer in every role. */
#ifndef TESTS_UNIT_SQL_RUNNING_H
#define TESTS_UNIT_SQL_RUNNING_H

#include <sys/types.h>

#include "tests/unit/sql/fixture.h"

#include "sql/client/registry_client.h"
#include "sql/proto/event_ring.h"

#define WAIT_MS 5000

struct running {
	struct fixture *f;
	pid_t pid;
	char socket[128];
	struct ipc_client *admin, *radius, *signer, *dispatch, *enroll;
};

void running_start(struct running *r);
void running_end(struct running *r, int signo);
void running_client(struct running *r, const char *role, struct ipc_client **out);
int running_setup(void **state);
int running_teardown(void **state);
void running_enroll(struct running *r, const char *device, unsigned serial_no, uint8_t key);
void running_enroll_pg1(struct running *r, unsigned serial_no, uint8_t key);
/* Maps the service's event ring: the caller's to unmap. */
void running_ring(struct running *r, struct event_ring *out);
void running_put(struct running *r, const struct auth_event *e);
void running_report(struct running *r, const char *verdict, const char *nas, const char *session,
		    const char *cert_serial);
void running_account(struct running *r, const char *type, const char *nas, const char *session);
/* Takes at most 4 orders; how many there were. */
size_t running_take(struct running *r, bool fresh, uint32_t wait_ms, struct dispatch_order *out);
void running_answer(struct running *r, uint64_t id, const char *result);
void running_revoke_pg1(struct running *r, struct revocation *out);

#endif
