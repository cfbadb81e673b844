/* SPDX-License-Identifier: BSD-2-Clause */
/* The verbs of pumpctl. Each file verb_*.c or *_verbs.c defines some; main.c lists them all. */
#ifndef ENROLL_PUMPCTL_VERBS_H
#define ENROLL_PUMPCTL_VERBS_H

#include "enroll/pumpctl/args.h"

#define VERB_OPTIONS(o) .options = (o), .n_options = sizeof(o) / sizeof((o)[0])

extern const struct verb verb_init;
extern const struct verb verb_run;
extern const struct verb verb_status;
extern const struct verb verb_doctor;
extern const struct verb verb_pump_add;
extern const struct verb verb_pump_import;
extern const struct verb verb_pump_list;
extern const struct verb verb_pump_show;
extern const struct verb verb_pump_token;
extern const struct verb verb_pump_bundle;
extern const struct verb verb_pump_revoke;
extern const struct verb verb_pump_quarantine;
extern const struct verb verb_pump_park;
extern const struct verb verb_pump_release;
extern const struct verb verb_model_list;
extern const struct verb verb_model_ports;
extern const struct verb verb_model_tls;
extern const struct verb verb_model_check;
extern const struct verb verb_pump_waiting;
extern const struct verb verb_pump_decommission;
extern const struct verb verb_pump_import_wipe;
extern const struct verb verb_pump_why;
extern const struct verb verb_recall_list;
extern const struct verb verb_recall_show;
extern const struct verb verb_recall_confirm;
extern const struct verb verb_recall_pause;
extern const struct verb verb_recall_resume;
extern const struct verb verb_recall_cancel;
extern const struct verb verb_pump_events;
extern const struct verb verb_zone_add;
extern const struct verb verb_zone_list;
extern const struct verb verb_nas_add;
extern const struct verb verb_nas_list;
extern const struct verb verb_nas_show;
extern const struct verb verb_nas_enable;
extern const struct verb verb_nas_disable;
extern const struct verb verb_nas_secret;
extern const struct verb verb_nas_test;
extern const struct verb verb_nas_config;
extern const struct verb verb_nas_certificate;
extern const struct verb verb_cert_list;
extern const struct verb verb_cert_show;
extern const struct verb verb_cert_rotate;
extern const struct verb verb_cert_rotation;
extern const struct verb verb_cert_server_list;
extern const struct verb verb_cert_server_renew;
extern const struct verb verb_ca_keys;
extern const struct verb verb_ca_protect;
extern const struct verb verb_ca_request;
extern const struct verb verb_ca_import;
extern const struct verb verb_ca_rollover;
extern const struct verb verb_maker_add;
extern const struct verb verb_maker_list;
extern const struct verb verb_maker_enable;
extern const struct verb verb_maker_disable;
extern const struct verb verb_maker_remove;
extern const struct verb verb_ca_backup;
extern const struct verb verb_ca_restore;
extern const struct verb verb_maker_publish;
extern const struct verb verb_enroll_list;
extern const struct verb verb_enroll_approve;
extern const struct verb verb_enroll_deny;
extern const struct verb verb_ca_show;
extern const struct verb verb_ca_crl;
extern const struct verb verb_session_list;
extern const struct verb verb_admin_list;
extern const struct verb verb_admin_add;
extern const struct verb verb_admin_role;
extern const struct verb verb_admin_remove;
extern const struct verb verb_audit_tail;
extern const struct verb verb_audit_verify;
extern const struct verb verb_audit_export;
extern const struct verb verb_audit_checkpoints;
extern const struct verb verb_audit_accept;
extern const struct verb verb_backup_create;
extern const struct verb verb_backup_restore;
extern const struct verb verb_backup_merge;
extern const struct verb verb_backup_gap;
extern const struct verb verb_alarm_list;
extern const struct verb verb_alarm_show;
extern const struct verb verb_alarm_ack;
extern const struct verb verb_pump_mac;
extern const struct verb verb_nas_set;
extern const struct verb verb_user_add;
extern const struct verb verb_user_import;
extern const struct verb verb_user_directory;
extern const struct verb verb_user_leavers;
extern const struct verb verb_user_list;
extern const struct verb verb_user_show;
extern const struct verb verb_user_disable;
extern const struct verb verb_user_enable;
extern const struct verb verb_user_password;
extern const struct verb verb_user_badge;
extern const struct verb verb_user_role;
extern const struct verb verb_user_roles;
extern const struct verb verb_user_terms;
extern const struct verb verb_user_unlock;
extern const struct verb verb_user_sessions;
extern const struct verb verb_breakglass_issue;
extern const struct verb verb_breakglass_list;
extern const struct verb verb_breakglass_review;
extern const struct verb verb_breakglass_void;

#endif
