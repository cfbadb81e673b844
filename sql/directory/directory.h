/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The hospital's LDAP server or Active Directory, as far as a login needs it: is this the password
 * of that person, and which role do their groups give. Used by credd's worker threads; every call
 * blocks, a login until its deadline at most (name resolution excepted: resolv.conf's limits).
 *
 * A login is: search with the service account (exactly one hit), bind as the person on a fresh
 * connection, ask the server whom it takes us for (RFC 4532), groups to role. Always over TLS with
 * the server's name checked. SIGPIPE must be ignored (daemon_harden). Nothing here keeps a
 * password, logs, or knows credd's database.
 */
#ifndef SQL_DIRECTORY_DIRECTORY_H
#define SQL_DIRECTORY_DIRECTORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/config.h"
#include "base/err.h"

#define DIRECTORY_SERVERS_MAX 8
#define DIRECTORY_ROLES_MAX 32
#define DIRECTORY_DN_SIZE 1024
#define DIRECTORY_NAME_SIZE 128	    /* account and display names */
#define DIRECTORY_ROLE_SIZE 33	    /* Pumpgate's name of a role */
#define DIRECTORY_LABEL_SIZE 65	    /* of a ward or a model */
#define DIRECTORY_TEXT_SIZE 256	    /* a sentence for the log and the audit */
#define DIRECTORY_PASSWORD_MAX 1024 /* bytes; longer ones never reach a server */

enum directory_verdict {
	DIRECTORY_UNDECIDED = 0, /* no server could say: refuse for now, "try again" */
	DIRECTORY_GOOD,
	DIRECTORY_WRONG_PASSWORD,
	DIRECTORY_UNKNOWN,     /* no such person */
	DIRECTORY_AMBIGUOUS,   /* more than one entry has that name */
	DIRECTORY_DISABLED,    /* the account is switched off */
	DIRECTORY_EXPIRED,     /* the account or the password is past its end */
	DIRECTORY_MUST_CHANGE, /* the password must be changed first, elsewhere */
	DIRECTORY_LOCKED,      /* the directory has locked it out for now */
	DIRECTORY_NOT_NOW,     /* not at this hour or from here, says the directory */
	DIRECTORY_NO_ROLE,     /* right password, but in no group that has a role here */
	DIRECTORY_NOT_PROVEN,  /* the bind went through, but as somebody else */
};

/* A stable short name such as "wrong-password"; never NULL. */
const char *directory_verdict_name(enum directory_verdict v);

/* What a group stands for here. */
struct directory_role {
	char role[DIRECTORY_ROLE_SIZE];
	char ward[DIRECTORY_LABEL_SIZE];  /* "": any */
	char model[DIRECTORY_LABEL_SIZE]; /* "": any */
};

struct directory_person {
	char dn[DIRECTORY_DN_SIZE];
	char account[DIRECTORY_NAME_SIZE]; /* as the directory spells it */
	char name[DIRECTORY_NAME_SIZE];	   /* for people to read; may be "" */
	enum directory_verdict state;	   /* GOOD, DISABLED, EXPIRED, LOCKED or MUST_CHANGE */
	size_t n_roles;			   /* of all their groups, in the order of the settings */
	struct directory_role roles[DIRECTORY_ROLES_MAX];
};

struct directory_answer {
	enum directory_verdict verdict;
	struct directory_person person;	  /* filled as far as it is known: all of it when GOOD */
	char server[DIRECTORY_TEXT_SIZE]; /* the one that answered; "" when none did */
	char note[DIRECTORY_TEXT_SIZE];	  /* what went wrong on the way, also when it ended well */
};

struct directory;

/* Reads [directory] of pumpgate.conf (pumpgate.conf(5)); *out is NULL when there is none, which is
 * no error. Checks what can be checked without a server: addresses, filters, DNs, that the CA file
 * can be read and that the secret is closed to others. Blocks on the disk.
 * ERR_INVALID, ERR_DENIED, ERR_NOT_FOUND, ERR_IO, ERR_NOMEM. */
int directory_new(struct config *conf, struct directory **out) MUST_USE;
/* No call may be in progress. NULL ok. */
void directory_free(struct directory *d);

static inline void directory_auto_free(struct directory **d)
{
	directory_free(*d);
}
#define AUTO_DIRECTORY __attribute__((cleanup(directory_auto_free))) struct directory *

/*
 * Checks a person's password. Thread-safe. 0 with out->verdict, whatever that is; the caller gives
 * everybody the same refusal and keeps verdict and note for the audit. UNKNOWN costs a bind too, so
 * that its time tells little. An empty password, or one with a NUL or longer than
 * DIRECTORY_PASSWORD_MAX, is WRONG_PASSWORD without any server being asked. deadline_us is of
 * clock_mono_us; [directory] login_ms may end it sooner.
 * ERR_INVALID: `user` is empty, longer than DIRECTORY_NAME_SIZE - 1 or not UTF-8; ERR_NOMEM.
 */
int directory_login(struct directory *d, const char *user, const void *password,
		    size_t password_len, int64_t deadline_us,
		    struct directory_answer *out) MUST_USE;

/* As directory_login without the password: what the directory says of that person now (GOOD,
 * UNKNOWN, AMBIGUOUS, DISABLED, EXPIRED, LOCKED, MUST_CHANGE, NO_ROLE, UNDECIDED). For the end of
 * an account while a pump still has an offline verifier of it. */
int directory_find(struct directory *d, const char *user, int64_t deadline_us,
		   struct directory_answer *out) MUST_USE;

/* Called for each person; another value than 0 ends the list and is returned by it. */
typedef int directory_each(void *user, const struct directory_person *person);

/*
 * Everybody who is in a group with a role, each once, with all their roles; for `user
 * import --ldap`. At most `max` people: ERR_LIMIT beyond. Not bound by login_ms but by list_s.
 * ERR_UNAVAILABLE, ERR_TIMEOUT, ERR_LIMIT, ERR_NOMEM, or what `each` returned.
 */
int directory_list(struct directory *d, size_t max, directory_each *each, void *user) MUST_USE;

/* May somebody log in whom credd's own list does not know ([directory] unknown_users = accept)? */
bool directory_takes_unknown(const struct directory *d);

struct directory_health {
	char server[DIRECTORY_TEXT_SIZE]; /* its URL */
	bool open;			  /* the breaker is open: it is being left alone */
	uint32_t failures;		  /* in a row */
	uint32_t retry_ms;		  /* until it is tried again; 0 when not open */
	char text[DIRECTORY_TEXT_SIZE];	  /* what its last failure was; "" when none */
};

/* The state of up to `max` servers, without asking them. The number written. */
size_t directory_health(struct directory *d, struct directory_health *out, size_t max);

#endif
