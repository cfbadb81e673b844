/* SPDX-License-Identifier: BSD-2-Clause */
/* Owns looking from outside. Changes nothing. */
#include "enroll/pumpctl/probe.h"

#include <string.h>

#include "base/daemon.h"
#include "base/ipc_client.h"
#include "enroll/pumpctl/layout.h"
#include "enroll/pumpctl/ports.h"
#include "sql/proto/cred_verbs.h"

#define SIGNER_TIMEOUT_MS 2000
#define CRED_TIMEOUT_MS 2000

static bool signer_answers(const struct settings *s, struct signer_status *out)
{
	AUTO_IPC_CLIENT c = NULL;
	struct signer_query q = {0};
	char path[PATH_MAX];

	return !home_path(s->home, SIGNER_SOCKET, path) && !ipc_client_new(path, "admin", &c) &&
	       !ipc_client_call(c, SIGNER_STATUS, &record_signer_query, &q, 1,
				&record_signer_status, out, 1, NULL, SIGNER_TIMEOUT_MS);
}

static bool cred_answers(const struct settings *s, struct cred_status *out)
{
	AUTO_IPC_CLIENT c = NULL;
	struct list_query q = {0};
	char path[PATH_MAX];

	return !home_path(s->home, CRED_SOCKET, path) && !ipc_client_new(path, "admin", &c) &&
	       !ipc_client_call(c, CRED_STATUS, &record_list_query, &q, 1, &record_cred_status, out,
				1, NULL, CRED_TIMEOUT_MS);
}

void probe_take(const struct settings *s, struct probe *out)
{
	memset(out, 0, sizeof(*out));
	out->supervised = layout_is_locked(s->home, LOCK_RUN);
	out->running = out->supervised || layout_is_locked(s->home, LOCK_REGISTRY);
	out->radius = !port_is_free(PORT_UDP, s->radius_address, s->radius_auth_port) &&
		      !port_is_free(PORT_UDP, s->radius_address, s->radius_acct_port);
	out->radsec = s->radsec_port && !port_is_free(PORT_TCP, s->radius_address, s->radsec_port);
	out->est = !port_is_free(PORT_TCP, s->est_address, s->est_port);
	out->http = s->http_port && !port_is_free(PORT_TCP, s->est_address, s->http_port);
	out->login = !port_is_free(PORT_TCP, s->est_address, s->login_port);
	out->cred = cred_answers(s, &out->cred_status);
	out->signer = signer_answers(s, &out->signer_status);
}
