/* SPDX-License-Identifier: BSD-2-Clause */
/* What the files of the directory share: its servers, the service account's connections, people. */
#ifndef SQL_DIRECTORY_DIRECTORY_STATE_H
#define SQL_DIRECTORY_DIRECTORY_STATE_H

#include <pthread.h>

#include "sql/directory/breaker.h"
#include "sql/directory/conn.h"

#define RESTING_MAX 16 /* connections of the service account that wait for work, per server */

struct resting {
	struct conn *conn;
	int64_t since_us;
};

struct server {
	const struct ldap_address *address;
	struct breaker breaker;
	char text[DIRECTORY_TEXT_SIZE];	     /* its last failure */
	struct resting resting[RESTING_MAX]; /* the last one is the youngest */
	size_t n_resting;
};

struct directory {
	struct directory_settings s; /* never changes */
	struct watch *watch;
	pthread_mutex_t lock; /* of all below */
	struct server servers[DIRECTORY_SERVERS_MAX];
};

/* ---- service.c: connections of the service account ---- */

/* One that is bound; from the resting ones unless `fresh`. ERR_DENIED: the server refuses the
 * service account; else as conn_open and conn_bind. */
int service_take(struct directory *d, struct server *server, bool fresh, int64_t until_us,
		 struct conn **out) MUST_USE;
/* Gives back one on which nothing failed. Takes it over. */
void service_give(struct directory *d, struct server *server, struct conn *c);
void service_drop_all(struct directory *d);

/* ---- person.c ---- */

/* The one entry of that account: 0 with *verdict GOOD, UNKNOWN or AMBIGUOUS; `out` (all but the
 * roles) when GOOD. As conn_search. */
int person_find(const struct directory_settings *s, struct conn *c, const char *user,
		enum directory_verdict *verdict, struct directory_person *out) MUST_USE;
/* The entry of a search for people_attributes. ERR_INVALID when it has no usable name. */
int person_read(const struct directory_settings *s, LDAP *ld, LDAPMessage *entry,
		struct directory_person *out) MUST_USE;
#define PERSON_ATTRIBUTES_MAX 16
/* NULL at the end. */
void person_attributes(const struct directory_settings *s, const char *out[PERSON_ATTRIBUTES_MAX]);

/* ---- groups.c ---- */

/* Fills out->roles from the groups of out->dn. As conn_search. */
int groups_to_roles(const struct directory_settings *s, struct conn *c,
		    struct directory_person *out) MUST_USE;

/* ---- one server after the other: login.c ---- */

/* What is tried at each server; *final is set once another server must not be asked. */
typedef int server_try(struct directory *d, struct server *server, int64_t until_us, bool *final,
		       void *user);
/* 0 once one succeeded; else the last error. `note` gets one sentence about those that did not. */
int servers_try(struct directory *d, int64_t until_us, server_try *try, void *user,
		const char **server_out, char note[DIRECTORY_TEXT_SIZE]) MUST_USE;

#endif
