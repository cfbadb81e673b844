/* SPDX-License-Identifier: BSD-2-Clause */
/* Owns the list of migrations; their texts stand in sql/schema/ and are built in. */
#include "sql/store/migrate.h"

static const char registry_0001[] = {
#include "sql/schema/registry/0001_initial.sql.inc"
	0,
};

static const char registry_0004[] = {
#include "sql/schema/registry/0004_ledger.sql.inc"
	0,
};

static const char registry_0005[] = {
#include "sql/schema/registry/0005_approvals.sql.inc"
	0,
};

static const char registry_0006[] = {
#include "sql/schema/registry/0006_placement.sql.inc"
	0,
};

static const char registry_0007[] = {
#include "sql/schema/registry/0007_recalls.sql.inc"
	0,
};

static const char registry_0008[] = {
#include "sql/schema/registry/0008_alarms.sql.inc"
	0,
};

static const char registry_0009[] = {
#include "sql/schema/registry/0009_makers.sql.inc"
	0,
};

static const char registry_0010[] = {
#include "sql/schema/registry/0010_rotations.sql.inc"
	0,
};

static const char registry_0011[] = {
#include "sql/schema/registry/0011_radsec.sql.inc"
	0,
};

static const char registry_0012[] = {
#include "sql/schema/registry/0012_reports.sql.inc"
	0,
};

static const char registry_0013[] = {
#include "sql/schema/registry/0013_pending_changes.sql.inc"
	0,
};

static const char registry_0014[] = {
#include "sql/schema/registry/0014_decommissions.sql.inc"
	0,
};

static const char registry_0015[] = {
#include "sql/schema/registry/0015_server_policy.sql.inc"
	0,
};

static const char registry_0016[] = {
#include "sql/schema/registry/0016_model_ports.sql.inc"
	0,
};

static const char registry_0017[] = {
#include "sql/schema/registry/0017_policy_logins.sql.inc"
	0,
};

static const char registry_0018[] = {
#include "sql/schema/registry/0018_model_tls.sql.inc"
	0,
};

static const char sessions_0001[] = {
#include "sql/schema/sessions/0001_initial.sql.inc"
	0,
};

static const char sessions_0002[] = {
#include "sql/schema/sessions/0002_sightings.sql.inc"
	0,
};

static const char sessions_0003[] = {
#include "sql/schema/sessions/0003_event_ring.sql.inc"
	0,
};

static const char sessions_0004[] = {
#include "sql/schema/sessions/0004_tls.sql.inc"
	0,
};

static const char clinicians_0001[] = {
#include "sql/schema/clinicians/0001_initial.sql.inc"
	0,
};

static const char clinicians_0002[] = {
#include "sql/schema/clinicians/0002_break_glass.sql.inc"
	0,
};

static const char clinicians_0003[] = {
#include "sql/schema/clinicians/0003_passwords_offline.sql.inc"
	0,
};

static const char *const registry_texts[] = {
	registry_0001, registry_0004, registry_0005, registry_0006, registry_0007, registry_0008,
	registry_0009, registry_0010, registry_0011, registry_0012, registry_0013, registry_0014,
	registry_0015, registry_0016, registry_0017, registry_0018};
static const char *const clinicians_texts[] = {clinicians_0001, clinicians_0002, clinicians_0003};
static const char *const sessions_texts[] = {sessions_0001, sessions_0002, sessions_0003,
					     sessions_0004};

const struct schema schema_registry = {
	.name = "registry",
	.application_id = 0x50475231, /* "PGR1" */
	.texts = registry_texts,
	.version = sizeof(registry_texts) / sizeof(registry_texts[0]),
};

const struct schema schema_sessions = {
	.name = "sessions",
	.application_id = 0x50475331, /* "PGS1" */
	.texts = sessions_texts,
	.version = sizeof(sessions_texts) / sizeof(sessions_texts[0]),
};

const struct schema schema_clinicians = {
	.name = "clinicians",
	.application_id = 0x50474331, /* "PGC1" */
	.texts = clinicians_texts,
	.version = sizeof(clinicians_texts) / sizeof(clinicians_texts[0]),
};
