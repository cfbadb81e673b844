/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * pumpgate.conf as pumpctl sees it (docs/ARCHITECTURE.md has the file), and which user each process
 * runs as. Holds no secret.
 */
#ifndef ENROLL_PUMPCTL_SETTINGS_H
#define ENROLL_PUMPCTL_SETTINGS_H

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"

enum process {
	PROCESS_REGISTRYD,
	PROCESS_SIGNERD,
	PROCESS_ENROLLD,
	PROCESS_RADIUSD,
	PROCESS_DISPATCHD,
	PROCESS_RADSECD,
	PROCESS_CREDD,
	PROCESS_CLINICIANS,
	PROCESS_COUNT
};

/* "registryd", ...: the key in [users] and the name of the log file. */
const char *process_name(enum process p);
/* "pumpgate-registry", ...: its user by convention. */
const char *process_user(enum process p);

struct settings {
	char home[PATH_MAX]; /* absolute */
	char radius_name[254];
	char est_names[512];
	char radsec_name[254];
	char login_name[254];
	char organization[65];
	char radius_address[46];
	char est_address[46];
	uint32_t radius_auth_port;
	uint32_t radius_acct_port;
	uint32_t est_port;
	uint32_t http_port;	       /* CRL and OCSP, at est_address; 0: not served */
	uint32_t radsec_port;	       /* 0: RadSec is off */
	uint32_t login_port;	       /* clinicians' logins, at est_address: where pumps are */
	uint32_t radsec_inner_port;    /* the first of three on 127.0.0.1 */
	char users[PROCESS_COUNT][33]; /* "": the user that starts it */
	char admins[256];
	char est_labels[256]; /* names, by commas; their terms are enrolld's */
	char device_validity[16];
	uint32_t late_max_s; /* [ca] expired_within, 0 when expired_return = no */
	char server_validity[16];
	char second_person[16]; /* "yes" or "no": for recalls of many pumps */
	char nas_validity[16];
};

struct owner {
	uid_t uid;
	gid_t gid;
};

/* Everything but home at its default. */
void settings_default(struct settings *s);
/* Each value by itself: names, addresses, no character that the file could not hold. ERR_INVALID.
 */
int settings_check(const struct settings *s) MUST_USE;
/* Reads HOME/pumpgate.conf. ERR_NOT_FOUND says to run init; ERR_INVALID; ERR_IO. Blocks on disk. */
int settings_read(const char *home, struct settings *out) MUST_USE;
/* A home of an earlier release names users, but none for processes that are new since: gives those
 * users of their own too, in *s and in the file. *changed: it did. ERR_IO, ERR_INVALID. */
int settings_users_complete(struct settings *s, bool *changed) MUST_USE;
/* Writes HOME/pumpgate.conf atomically, mode 0644. */
int settings_write(const struct settings *s) MUST_USE;

/* The names that carry an epoch and that pumps are told by signed policy. */
enum epoch_name { EPOCH_RADIUS, EPOCH_LOGIN };
const char *settings_epoch_name(const struct settings *s, enum epoch_name which);
/* Changes radius_name or login_name in HOME/pumpgate.conf, whose other lines stay as they are; *s
 * is read anew. Atomic. ERR_INVALID, ERR_IO, ERR_LIMIT. */
int settings_rename(struct settings *s, enum epoch_name which, const char *name) MUST_USE;

/* The user of a process; the calling user when none is set. ERR_NOT_FOUND for an unknown name,
 * ERR_DENIED when another user is asked for and the caller is not root. */
int settings_owner(const struct settings *s, enum process p, struct owner *out) MUST_USE;
/* True when every process would run as one user. */
bool settings_one_user(const struct settings *s);

/* "https://HOST:PORT/.well-known/est" as a pump would use it; size at least 320. */
void settings_est_url(const struct settings *s, char *out, size_t size);

/* "ADDRESS:PORT" of the clinicians' server as a pump would use it; "" when the file names no
 * address that a pump could use. size at least 64. */
void settings_login_server(const struct settings *s, char *out, size_t size);

/* Is this one of [est] labels? */
bool settings_has_label(const struct settings *s, const char *label);
/* "http://HOST:PORT" of the HTTP port; "" when it is not served. size at least 320. */
void settings_http_url(const struct settings *s, char *out, size_t size);
/* "ADDRESS:PORT", brackets around IPv6. */
void settings_endpoint(const char *address, uint32_t port, char *out, size_t size);

#endif
