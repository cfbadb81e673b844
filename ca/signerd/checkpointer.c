/* SPDX-License-Identifier: BSD-2-Clause */
/* Owns when the audit chains are looked at and what is signed of them. */
#include "ca/signerd/checkpointer.h"

#include <inttypes.h>
#include <limits.h>
#include <pthread.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <openssl/x509.h>

#include "base/clock.h"
#include "base/daemon.h"
#include "base/log.h"
#include "ca/checkpoints.h"
#include "ca/keystore.h"
#include "ca/request/ossl.h"
#include "sql/client/registry_client.h"
#include "sql/proto/cred_verbs.h"

#define ASK_TIMEOUT_MS 10000

/* A service that keeps an audit chain. */
struct chain {
	const char *name, *socket; /* below the home */
	uint16_t verb;		   /* audit_head_query -> audit_head */
};
static const struct chain chains[] = {
	{"registry", REGISTRY_SOCKET, REGISTRY_AUDIT_HEAD},
	{"logins", CRED_SOCKET, CRED_AUDIT_HEAD},
};
#define CHAINS (sizeof(chains) / sizeof(chains[0]))

struct chain_state {
	const struct chain *chain;
	struct ipc_client *client; /* the thread's */
	int64_t looked_at_ms;	   /* this and the next under the lock */
	char fault[256];
};

struct checkpointer {
	EVP_PKEY *key;
	struct checkpoints *list; /* NULL: could not be opened; `fault` says why */
	uint32_t every_s;
	pthread_t thread;
	pthread_mutex_t lock; /* of all below */
	pthread_cond_t wake;
	bool stop, runs;
	struct ipc_request *accept; /* waits for the thread; NULL: none */
	char fault[256];	    /* of key and list; never changes */
	struct chain_state states[CHAINS];
};

/* Once per change: what keeps from signing, or "" again. */
static void fault_set(struct checkpointer *cp, struct chain_state *st, const char *text)
{
	bool changed;

	pthread_mutex_lock(&cp->lock);
	changed = strcmp(st->fault, text) != 0;
	snprintf(st->fault, sizeof(st->fault), "%s", text);
	if (!*text)
		st->looked_at_ms = clock_wall_ms();
	pthread_mutex_unlock(&cp->lock);
	if (!changed)
		return;
	if (*text)
		LOG(LOG_ERROR, "signer.no_checkpoint", LOG_S("chain", st->chain->name),
		    LOG_S("why", text));
	else
		LOG(LOG_INFO, "signer.checkpoints_go_on", LOG_S("chain", st->chain->name));
}

static int sign(struct checkpointer *cp, const struct chain *chain, const struct audit_head *head,
		const char *by, struct audit_checkpoint *out)
{
	struct audit_checkpoint c = {.at = clock_wall_ms(), .seq = head->seq};
	AUTO_BUF said = {.max = CHECKPOINT_LINE_MAX};
	char signature[2 * CHECKPOINT_SIGNATURE_BYTES + 1];
	int rc = str_copy(c.head, sizeof(c.head), head->hash);

	c.accepted = by != NULL;
	if (!rc)
		rc = str_copy(c.chain, sizeof(c.chain), chain->name);
	if (!rc)
		rc = str_copy(c.by, sizeof(c.by), by ? by : "-");
	if (!rc)
		rc = checkpoints_add(cp->list, &c);
	if (!rc)
		rc = checkpoint_statement_put(&said, &c);
	if (rc)
		return rc;
	hex_encode(c.signature.data, c.signature.len, signature, sizeof(signature));
	/* whole: whoever collects logs on another machine has the proof there */
	LOG(LOG_INFO, "signer.checkpoint", LOG_S("statement", buf_cstr(&said)),
	    LOG_S("signature", signature));
	*out = c;
	return 0;
}

static int head_ask(struct chain_state *st, uint64_t seq, struct audit_head *out)
{
	const struct audit_head_query q = {.seq = seq};

	return ipc_client_call(st->client, st->chain->verb, &record_audit_head_query, &q, 1,
			       &record_audit_head, out, 1, NULL, ASK_TIMEOUT_MS);
}

static void look(struct checkpointer *cp, struct chain_state *st)
{
	struct audit_checkpoint last, made;
	struct audit_head head;
	char text[256] = "";
	bool first = checkpoints_last(cp->list, st->chain->name, &last) != 0;
	int rc = head_ask(st, first ? 0 : last.seq, &head);

	if (rc == ERR_UNAVAILABLE || rc == ERR_TIMEOUT || rc == ERR_BUSY)
		return; /* it is away; looked_at tells for how long */
	if (rc) {
		fault_set(cp, st, err_text());
		return;
	}
	switch (checkpoint_judge(first ? NULL : &last, head.seq, head.row_hash)) {
	case CHAIN_SAME:
		break;
	case CHAIN_GREW:
		if (sign(cp, st->chain, &head, NULL, &made))
			snprintf(text, sizeof(text), "%s", err_text());
		break;
	case CHAIN_CUT:
		snprintf(text, sizeof(text),
			 "the end is missing: row %" PRIu64
			 " was signed, the chain ends at %" PRIu64,
			 last.seq, head.seq);
		break;
	case CHAIN_REWRITTEN:
		snprintf(text, sizeof(text), "row %" PRIu64 " is not the one that was signed",
			 last.seq);
		break;
	}
	fault_set(cp, st, text);
}

static void peer_name(uid_t uid, char out[33])
{
	struct passwd p, *found = NULL;
	char room[2048];

	if (getpwuid_r(uid, &p, room, sizeof(room), &found) || !found ||
	    str_copy(out, 33, p.pw_name))
		snprintf(out, 33, "uid-%u", (unsigned)uid);
}

/* NULL: no such chain. */
static struct chain_state *state_of(struct checkpointer *cp, const char *name)
{
	for (size_t i = 0; i < CHAINS; i++)
		if (!strcmp(chains[i].name, name))
			return &cp->states[i];
	return NULL;
}

/* An admin says: the chain may go on from where it ends now. */
static void accept_now(struct checkpointer *cp, struct ipc_request *rq)
{
	const struct checkpoint_accept *q = ipc_request_record(rq);
	struct audit_checkpoint made;
	struct audit_head head;
	char by[33];
	struct chain_state *st = state_of(cp, q->chain); /* there is one: the verb looked */
	int rc = head_ask(st, 0, &head);

	peer_name(ipc_request_uid(rq), by);
	if (!rc && !head.seq)
		rc = err_set(ERR_CONFLICT, "the audit is empty");
	if (!rc)
		rc = sign(cp, st->chain, &head, by, &made);
	LOG(LOG_WARN, "signer.chain_accepted", LOG_S("chain", q->chain), LOG_S("by", by),
	    LOG_S("reason", q->reason), LOG_S("code", err_name(rc)));
	if (rc) {
		ipc_request_fail(rq, rc);
		return;
	}
	fault_set(cp, st, "");
	ipc_request_reply(rq, &made, 1);
}

/* Under the lock, until it is time, somebody accepts, or the end. */
static void rest(struct checkpointer *cp)
{
	struct timespec until;

	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += cp->every_s;
	while (!cp->stop && !cp->accept)
		if (pthread_cond_timedwait(&cp->wake, &cp->lock, &until))
			break;
}

static void *checkpointer_run(void *arg)
{
	struct checkpointer *cp = arg;

	pthread_mutex_lock(&cp->lock);
	while (!cp->stop) {
		struct ipc_request *accept = cp->accept;

		cp->accept = NULL;
		pthread_mutex_unlock(&cp->lock);
		if (accept)
			accept_now(cp, accept);
		for (size_t i = 0; !accept && i < CHAINS; i++)
			look(cp, &cp->states[i]);
		pthread_mutex_lock(&cp->lock);
		rest(cp);
	}
	pthread_mutex_unlock(&cp->lock);
	return NULL;
}

/* A key of its own, so that no other signature can pose as a checkpoint nor the other way round. */
static int key_have(const char *home, EVP_PKEY **out)
{
	char path[PATH_MAX];
	int rc = home_path(home, "ca/checkpoint.key", path);

	if (!rc)
		rc = keystore_key_read(path, NULL, out);
	if (rc != ERR_NOT_FOUND)
		return rc;
	*out = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
	return *out ? keystore_key_write(path, *out) : err_ossl(ERR_CRYPTO, "key for checkpoints");
}

static int list_have(struct checkpointer *cp, const char *home)
{
	char path[PATH_MAX];
	int rc = home_path(home, "ca/checkpoints.log", path);

	if (!rc)
		rc = key_have(home, &cp->key);
	return rc ? rc : checkpoints_open(path, cp->key, &cp->list);
}

static int thread_start(struct checkpointer *cp, const char *home)
{
	char path[PATH_MAX];
	int rc = 0;

	for (size_t i = 0; !rc && i < CHAINS; i++) {
		cp->states[i].chain = &chains[i];
		rc = home_path(home, chains[i].socket, path);
		if (!rc)
			rc = ipc_client_new(path, "signer", &cp->states[i].client);
	}
	if (!rc && pthread_create(&cp->thread, NULL, checkpointer_run, cp))
		rc = err_set(ERR_NOMEM, "no thread for checkpoints");
	cp->runs = !rc;
	return rc;
}

int checkpointer_new(const char *home, uint32_t every_s, struct checkpointer **out)
{
	struct checkpointer *cp = calloc(1, sizeof(*cp));
	pthread_condattr_t monotonic;
	int rc = 0;

	if (!cp)
		return err_set(ERR_NOMEM, "no memory for checkpoints");
	cp->every_s = every_s;
	pthread_mutex_init(&cp->lock, NULL);
	pthread_condattr_init(&monotonic);
	pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
	pthread_cond_init(&cp->wake, &monotonic);
	pthread_condattr_destroy(&monotonic);
	if (list_have(cp, home)) {
		snprintf(cp->fault, sizeof(cp->fault), "%s", err_text());
		LOG(LOG_ERROR, "signer.no_checkpoint", LOG_S("why", cp->fault));
	} else {
		rc = thread_start(cp, home);
	}
	if (rc)
		checkpointer_free(cp);
	else
		*out = cp;
	return rc;
}

void checkpointer_free(struct checkpointer *cp)
{
	if (!cp)
		return;
	if (cp->runs) {
		pthread_mutex_lock(&cp->lock);
		cp->stop = true;
		pthread_cond_signal(&cp->wake);
		pthread_mutex_unlock(&cp->lock);
		pthread_join(cp->thread, NULL);
	}
	for (size_t i = 0; i < CHAINS; i++)
		ipc_client_free(cp->states[i].client);
	if (cp->accept)
		ipc_request_release(cp->accept);
	checkpoints_close(cp->list);
	EVP_PKEY_free(cp->key);
	pthread_cond_destroy(&cp->wake);
	pthread_mutex_destroy(&cp->lock);
	free(cp);
}

void checkpointer_describe(struct checkpointer *cp, struct signer_status *out)
{
	pthread_mutex_lock(&cp->lock);
	out->checkpoint_looked_at = cp->states[0].looked_at_ms;
	snprintf(out->checkpoint_fault, sizeof(out->checkpoint_fault), "%s", cp->fault);
	for (size_t i = 0; !out->checkpoint_fault[0] && i < CHAINS; i++)
		snprintf(out->checkpoint_fault, sizeof(out->checkpoint_fault), "%s",
			 cp->states[i].fault);
	pthread_mutex_unlock(&cp->lock);
}

/* Answers with what is wrong when there is no list, or no such chain. */
static bool list_is_there(struct checkpointer *cp, struct ipc_request *rq, const char *chain)
{
	if (!cp->list) /* its fault never changes then */
		ipc_request_fail(rq, err_set(ERR_CORRUPT, "no checkpoints: %s", cp->fault));
	else if (!state_of(cp, chain))
		ipc_request_fail(rq, err_set(ERR_NOT_FOUND, "no audit chain of that name"));
	else
		return true;
	return false;
}

void checkpointer_list(struct checkpointer *cp, struct ipc_request *rq)
{
	const struct checkpoint_query *q = ipc_request_record(rq);
	struct audit_checkpoint *page;
	size_t n;

	if (!list_is_there(cp, rq, q->chain))
		return;
	page = calloc(CHECKPOINTS_PAGE, sizeof(*page));
	if (!page) {
		ipc_request_fail(rq, err_set(ERR_NOMEM, "no memory for checkpoints"));
		return;
	}
	n = checkpoints_copy(cp->list, q->chain, q->after, page, CHECKPOINTS_PAGE);
	ipc_request_reply(rq, page, n);
	free(page);
}

void checkpointer_state(struct checkpointer *cp, struct ipc_request *rq)
{
	const struct checkpoint_query *q = ipc_request_record(rq);
	struct checkpoint_state st = {.every_s = cp->every_s};
	unsigned char *to = st.key.data;
	int len;

	if (!list_is_there(cp, rq, q->chain))
		return;
	len = i2d_PUBKEY(cp->key, NULL);
	if (len <= 0 || (size_t)len > sizeof(st.key.data) || i2d_PUBKEY(cp->key, &to) != len) {
		ipc_request_fail(rq, err_ossl(ERR_CRYPTO, "the key of the checkpoints"));
		return;
	}
	st.key.len = (uint32_t)len;
	pthread_mutex_lock(&cp->lock);
	st.looked_at = state_of(cp, q->chain)->looked_at_ms;
	snprintf(st.fault, sizeof(st.fault), "%s", state_of(cp, q->chain)->fault);
	pthread_mutex_unlock(&cp->lock);
	ipc_request_reply(rq, &st, 1);
}

void checkpointer_accept(struct checkpointer *cp, struct ipc_request *rq)
{
	const struct checkpoint_accept *q = ipc_request_record(rq);
	bool busy;

	if (!list_is_there(cp, rq, q->chain))
		return;
	if (!q->reason[0]) {
		ipc_request_fail(rq, err_set(ERR_INVALID, "say why: a reason is needed"));
		return;
	}
	pthread_mutex_lock(&cp->lock);
	busy = cp->accept != NULL;
	if (!busy)
		cp->accept = rq;
	pthread_cond_signal(&cp->wake);
	pthread_mutex_unlock(&cp->lock);
	if (busy)
		ipc_request_fail(rq, err_set(ERR_BUSY, "somebody else accepts just now"));
}
