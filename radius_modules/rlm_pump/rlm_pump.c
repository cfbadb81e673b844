/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * rlm_pump: FreeRADIUS's side of Pumpgate. Owns the module's instances and what they share, and
 * leads each call to its operation. It must never read a database, and never answer Accept by
 * itself.
 */
#include "radius_modules/rlm_pump/rlm_pump.h"

#include <pthread.h>

#include "base/clock.h"

/* The shims in shim/ and the packaged headers must add up to what the server was built with
 * (3.2.x, amd64 and arm64); the magic number in the module says for which version that was tried.
 */
_Static_assert((RADIUSD_MAGIC_NUMBER >> 20 & 0xffffff) >= 0x030207,
	       "FreeRADIUS 3.2.7 or newer is needed");
_Static_assert(sizeof(REQUEST) == 328, "this FreeRADIUS has another REQUEST");
_Static_assert(offsetof(REQUEST, packet) == 40, "this FreeRADIUS has another REQUEST");
_Static_assert(offsetof(REQUEST, parent) == 280, "this FreeRADIUS has another REQUEST");
_Static_assert(sizeof(RADIUS_PACKET) == 152, "this FreeRADIUS has another RADIUS_PACKET");
_Static_assert(sizeof(VALUE_PAIR) == 72, "this FreeRADIUS has another VALUE_PAIR");
_Static_assert(sizeof(module_t) == 144, "this FreeRADIUS has another module_t");
_Static_assert(offsetof(RADCLIENT, shortname) == 72, "this FreeRADIUS has another RADCLIENT");

static const struct pump_operation operations[] = {
	{"client", MOD_AUTHORIZE, pump_client},
	{"nas", MOD_AUTHORIZE, pump_nas},
	{"hold", MOD_AUTHORIZE, pump_hold},
	{"nas-accounting", MOD_PREACCT, pump_nas_preacct},
	{"radsec", MOD_AUTHORIZE, pump_radsec},
	{"radsec-accounting", MOD_PREACCT, pump_radsec_preacct},
	{"verdict", MOD_AUTHORIZE, pump_verdict},
	{"mab", MOD_AUTHORIZE, pump_mab},
	{"birth", MOD_AUTHORIZE, pump_birth},
	{"return", MOD_AUTHORIZE, pump_return},
	{"onboard-return", MOD_POST_AUTH, pump_onboard_return},
	{"admit", MOD_POST_AUTH, pump_admit},
	{"mab-gate", MOD_POST_AUTH, pump_mab_gate},
	{"onboard", MOD_POST_AUTH, pump_onboard},
	{"onboard-birth", MOD_POST_AUTH, pump_onboard_birth},
	{"refuse", MOD_POST_AUTH, pump_refuse},
	{"accounting", MOD_ACCOUNTING, pump_accounting},
	{"session-save", MOD_POST_AUTH, pump_session_save},
	{"session-load", MOD_POST_AUTH, pump_session_load},
	{"session-clear", MOD_POST_AUTH, pump_session_clear},
	{"session-refresh", MOD_POST_AUTH, pump_session_refresh},
};

static const CONF_PARSER pump_config[] = {
	{"operation",
	 FR_CONF_OFFSET(PW_TYPE_STRING | PW_TYPE_REQUIRED, struct pump_instance, operation_name),
	 NULL},
	{"registry_socket",
	 FR_CONF_OFFSET(PW_TYPE_STRING | PW_TYPE_REQUIRED, struct pump_instance, socket), NULL},
	{"hold_file", FR_CONF_OFFSET(PW_TYPE_STRING, struct pump_instance, hold_file), NULL},
	{"hop_token_file", FR_CONF_OFFSET(PW_TYPE_STRING, struct pump_instance, hop_token_file),
	 NULL},
	{"session_max", FR_CONF_OFFSET(PW_TYPE_INTEGER, struct pump_instance, session_max),
	 "16384"},
	{"session_lifetime",
	 FR_CONF_OFFSET(PW_TYPE_INTEGER, struct pump_instance, session_lifetime_s), "43200"},
	{"late_max", FR_CONF_OFFSET(PW_TYPE_INTEGER, struct pump_instance, late_max_s), "0"},
	CONF_PARSER_TERMINATOR};

/* ---- what all instances share; instances come and go on the main thread only ---- */

static struct pump_shared shared;

static void shared_release(void)
{
	size_t lost;

	if (--shared.users > 0)
		return;
	tls_late_end();
	lost = registry_link_free(shared.link);
	if (lost)
		radlog(L_ERR, "pump.event lost=%zu detail=\"the registry was away at the end\"",
		       lost);
	session_cache_free(shared.sessions);
	nas_known_free(shared.nas);
	reject_pace_free(shared.pace);
	memset(&shared, 0, sizeof(shared));
}

static int shared_acquire(const struct pump_instance *inst)
{
	int rc = 0;

	if (shared.users++ > 0)
		return 0;
	shared.started_ms = clock_wall_ms();
	shared.resumed = dict_attrbyname("Pumpgate-Session-Resumed");
	if (!shared.resumed)
		rc = err_set(ERR_INVALID, "the dictionary lacks Pumpgate-Session-Resumed");
	if (!rc)
		rc = registry_link_new(inst->socket, &shared.link);
	if (!rc)
		rc = nas_known_new(&shared.nas);
	if (!rc)
		rc = reject_pace_new(&shared.pace);
	if (!rc)
		rc = session_cache_new(inst->session_max,
				       (int64_t)inst->session_lifetime_s * 1000000,
				       &shared.sessions);
	if (rc)
		shared_release();
	return rc;
}

/* Our declaration of RADCLIENT is a shim: see on a client of the server's making that it fits. */
static bool client_layout_fits(void)
{
	RADCLIENT *c = client_afrom_query(NULL, "192.0.2.1", "probe-secret", "probe-name", NULL,
					  NULL, false);
	bool fits = c && c->secret && c->shortname && !strcmp(c->secret, "probe-secret") &&
		    !strcmp(c->shortname, "probe-name");

	talloc_free(c);
	return fits;
}

static int mod_instantiate(CONF_SECTION *conf, void *instance)
{
	struct pump_instance *inst = instance;

	inst->name = cf_section_name2(conf) ? cf_section_name2(conf) : cf_section_name1(conf);
	for (size_t i = 0; i < sizeof(operations) / sizeof(operations[0]); i++)
		if (!strcmp(operations[i].name, inst->operation_name))
			inst->operation = &operations[i];
	if (!inst->operation) {
		cf_log_err_cs(conf, "operation = %s: there is no such operation",
			      inst->operation_name);
		return -1;
	}
	if (!inst->session_max || !inst->session_lifetime_s) {
		cf_log_err_cs(conf, "session_max and session_lifetime must not be 0");
		return -1;
	}
	if (!client_layout_fits()) {
		cf_log_err_cs(conf, "rlm_pump was built for another FreeRADIUS: rebuild it");
		return -1;
	}
	if (shared_acquire(inst)) {
		cf_log_err_cs(conf, "%s", err_text());
		return -1;
	}
	if (inst->hold_file)
		shared.hold_file = inst->hold_file;
	if (inst->late_max_s) {
		shared.late_max_ms = (int64_t)inst->late_max_s * 1000;
		if (tls_late_begin()) {
			cf_log_err_cs(conf, "%s", err_text());
			return -1;
		}
	}
	inst->shared = &shared;
	if (inst->hop_token_file && hop_token_read(inst->hop_token_file, shared.hop_token)) {
		cf_log_err_cs(conf, "hop_token_file: %s", err_text());
		return -1;
	}
	return 0;
}

static int mod_detach(void *instance)
{
	struct pump_instance *inst = instance;

	if (inst->hold_file && shared.hold_file == inst->hold_file)
		shared.hold_file = NULL;
	if (inst->shared)
		shared_release();
	inst->shared = NULL;
	return 0;
}

/* An operation in a section that it is not for is a mistake in the configuration: nobody gets on.
 */
static rlm_rcode_t call(void *instance, REQUEST *request, rlm_components_t component)
{
	struct pump_instance *inst = instance;

	if (inst->operation->component != component) {
		radlog(L_ERR, "%s: operation %s does not belong into this section", inst->name,
		       inst->operation->name);
		return RLM_MODULE_FAIL;
	}
	return inst->operation->run(inst->shared, request);
}

static rlm_rcode_t mod_authorize(void *instance, REQUEST *request)
{
	return call(instance, request, MOD_AUTHORIZE);
}

static rlm_rcode_t mod_preacct(void *instance, REQUEST *request)
{
	return call(instance, request, MOD_PREACCT);
}

static rlm_rcode_t mod_accounting(void *instance, REQUEST *request)
{
	return call(instance, request, MOD_ACCOUNTING);
}

static rlm_rcode_t mod_post_auth(void *instance, REQUEST *request)
{
	return call(instance, request, MOD_POST_AUTH);
}

extern module_t rlm_pump;
module_t rlm_pump = {
	.magic = RLM_MODULE_INIT,
	.name = "pump",
	.type = RLM_TYPE_THREAD_SAFE,
	.inst_size = sizeof(struct pump_instance),
	.config = pump_config,
	.instantiate = mod_instantiate,
	.detach = mod_detach,
	.methods =
		{
			[MOD_AUTHORIZE] = mod_authorize,
			[MOD_PREACCT] = mod_preacct,
			[MOD_ACCOUNTING] = mod_accounting,
			[MOD_POST_AUTH] = mod_post_auth,
		},
};
