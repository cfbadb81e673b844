/* SPDX-License-Identifier: BSD-2-Clause */
/* What can be seen of a running server from outside its processes. */
#ifndef ENROLL_PUMPCTL_PROBE_H
#define ENROLL_PUMPCTL_PROBE_H

#include <stdbool.h>

#include "ca/proto/signer_records.h"
#include "enroll/pumpctl/settings.h"
#include "sql/proto/cred_records.h"

struct probe {
	bool supervised; /* `pumpctl run` holds this home */
	bool running;	 /* it does, or registryd runs without it (systemd) */
	bool radius;	 /* somebody has the RADIUS ports */
	bool radsec;	 /* somebody listens on the RadSec port */
	bool est;	 /* somebody listens on the EST port */
	bool http;	 /* somebody listens on the port for CRL and OCSP */
	bool signer;	 /* signerd answers; then `signer_status` is filled in */
	struct signer_status signer_status;
	bool login; /* somebody listens on the port for clinicians' logins */
	bool cred;  /* credd answers; then `cred_status` is filled in */
	struct cred_status cred_status;
};

/* Blocks at most four seconds. */
void probe_take(const struct settings *s, struct probe *out);

#endif
