/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * pumpctl: the program for people and timers. Owns the list of verbs; what each does stands in its
 * own file. Holds nothing; all state is behind pumpgate-registryd and in the home folder.
 */
#include <stdio.h>
#include <sys/resource.h>

#include "base/daemon.h"
#include "base/log.h"
#include "enroll/pumpctl/report.h"
#include "enroll/pumpctl/verbs.h"

int main(int argc, char *argv[])
{
	/* one a line, so that two additions do not meet */
	/* clang-format off */
	const struct verb verbs[] = {
		verb_init,
		verb_run,
		verb_status,
		verb_doctor,
		verb_pump_add,
		verb_pump_import,
		verb_pump_list,
		verb_pump_show,
		verb_pump_token,
		verb_pump_bundle,
		verb_pump_revoke,
		verb_pump_quarantine,
		verb_pump_park,
		verb_pump_release,
		verb_pump_waiting,
		verb_pump_decommission,
		verb_pump_import_wipe,
		verb_pump_mac,
		verb_pump_why,
		verb_pump_events,
		verb_model_list,
		verb_model_ports,
		verb_model_check,
		verb_model_tls,
		verb_zone_add,
		verb_zone_list,
		verb_nas_add,
		verb_nas_list,
		verb_nas_show,
		verb_nas_set,
		verb_nas_enable,
		verb_nas_disable,
		verb_nas_secret,
		verb_nas_test,
		verb_nas_config,
		verb_nas_certificate,
		verb_cert_list,
		verb_cert_show,
		verb_cert_rotate,
		verb_cert_rotation,
		verb_cert_server_list,
		verb_cert_server_renew,
		verb_session_list,
		verb_alarm_list,
		verb_alarm_show,
		verb_alarm_ack,
		verb_admin_list,
		verb_admin_add,
		verb_admin_role,
		verb_admin_remove,
		verb_audit_tail,
		verb_audit_verify,
		verb_audit_export,
		verb_audit_checkpoints,
		verb_audit_accept,
		verb_backup_create,
		verb_backup_restore,
		verb_backup_merge,
		verb_backup_gap,
		verb_enroll_list,
		verb_enroll_approve,
		verb_enroll_deny,
		verb_ca_show,
		verb_ca_crl,
		verb_ca_keys,
		verb_ca_protect,
		verb_ca_request,
		verb_ca_import,
		verb_ca_rollover,
		verb_ca_backup,
		verb_ca_restore,
		verb_recall_list,
		verb_recall_show,
		verb_recall_confirm,
		verb_recall_pause,
		verb_recall_resume,
		verb_recall_cancel,
		verb_maker_add,
		verb_maker_list,
		verb_maker_enable,
		verb_maker_disable,
		verb_maker_remove,
		verb_maker_publish,
		verb_user_add,
		verb_user_import,
		verb_user_directory,
		verb_user_leavers,
		verb_user_list,
		verb_user_show,
		verb_user_disable,
		verb_user_enable,
		verb_user_password,
		verb_user_badge,
		verb_user_role,
		verb_user_roles,
		verb_user_terms,
		verb_user_unlock,
		verb_user_sessions,
		verb_breakglass_issue,
		verb_breakglass_list,
		verb_breakglass_review,
		verb_breakglass_void,
	};
	/* clang-format on */
	const size_t n = sizeof(verbs) / sizeof(verbs[0]);
	const struct rlimit no_core = {0, 0}; /* a token or a NAS secret may be in memory */
	struct call call;
	int rc;

	setrlimit(RLIMIT_CORE, &no_core);
	log_start("pumpctl", LOG_WARN);
	rc = args_parse(verbs, n, argc, (const char *const *)argv, &call);
	if (rc)
		return report_usage();
	if (call.version) {
		puts("pumpctl " PUMPGATE_VERSION);
		return EXIT_DONE;
	}
	if (call.help) {
		args_help(stdout, verbs, n, &call);
		return EXIT_DONE;
	}
	rc = call.verb->run(&call);
	if (fflush(stdout) || ferror(stdout))
		return rc == EXIT_DONE ? EXIT_FAILED : rc;
	return rc;
}
