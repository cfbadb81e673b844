/* SPDX-License-Identifier: BSD-2-Clause */
/* Owns the order of keeping: on the disk first, then told. Never judges a revocation. */
#include "ca/signerd/keeper.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/log.h"
#include "ca/signerd/publisher.h"
#include "ca/signerd/remember.h"
#include "sql/client/registry_client.h"

#define BATCH 256
#define TAKE_WAIT_MS 10000
#define TAKE_TIMEOUT_MS 15000
#define TELL_TIMEOUT_MS 10000
#define AGAIN_MS 250

struct keeper {
	struct signer *signer;
	struct issuance is; /* for the introduction: the registry must know our CA first */
	pthread_t thread;
	bool away; /* said so once */
	bool caught_up;
	bool forgetful; /* a list may have entries that the set in memory lacks */
	struct ledger_entry entries[BATCH];
	struct list_place places[BATCH];
};

/* Where to begin in a list: behind what the registry has seen, or, when that is not our entry, at
 * the beginning: one of the two was exchanged. */
static int begin_at(struct issued_log *log, const char *list, uint64_t seq, const char *serial,
		    uint64_t *next_out)
{
	struct list_place p;
	int rc = seq ? issued_log_at(log, seq, &p) : 0;

	if (rc && rc != ERR_NOT_FOUND)
		return rc;
	if (rc || (seq && strcmp(p.serial, serial))) {
		LOG(LOG_WARN, "keeper.other_list", LOG_S("list", list),
		    LOG_U("registry_has_seen", seq), LOG_U("entries_here", issued_log_count(log)));
		seq = 0;
	}
	*next_out = seq + 1;
	return 0;
}

static int entry_take(struct issued_log *log, uint64_t seq, struct ledger_entry *e)
{
	struct list_place p;
	int rc = issued_log_at(log, seq, &p);

	if (rc)
		return rc;
	e->seq = seq;
	e->at = p.at_ms;
	if ((rc = str_copy(e->cert_serial, sizeof(e->cert_serial), p.serial)))
		return rc;
	return str_copy(e->device, sizeof(e->device), p.device);
}

/* Tells entries from `next` up to the end. */
static int tell(struct keeper *k, struct issued_log *log, bool revoked, uint64_t next)
{
	uint64_t end = issued_log_count(log);
	int rc = 0;

	while (!rc && next <= end) {
		size_t n = 0;

		for (; !rc && n < BATCH && next <= end; n++, next++) {
			k->entries[n] = (struct ledger_entry){.revoked = revoked};
			rc = entry_take(log, next, &k->entries[n]);
		}
		if (!rc)
			rc = registry_ledger_entries(k->is.registry, k->entries, n,
						     TELL_TIMEOUT_MS);
	}
	return rc;
}

/* Asks where the registry stands and tells what is beyond. */
static int lists_tell(struct keeper *k)
{
	struct ledger_query q = {0};
	struct ledger_position p;
	uint64_t issued, revoked;
	int rc = registry_ledger_position(k->is.registry, &q, &p, TELL_TIMEOUT_MS);

	if (rc ||
	    (rc = begin_at(k->signer->revoked, "revoked", p.revoked, p.revoked_serial, &revoked)) ||
	    (rc = begin_at(k->signer->log, "issued", p.issued, p.issued_serial, &issued)) ||
	    (rc = tell(k, k->signer->revoked, true, revoked)) ||
	    (rc = tell(k, k->signer->log, false, issued)))
		return rc;
	if (k->caught_up && !p.compare_needed)
		return 0;
	q.compared = true;
	return registry_ledger_position(k->is.registry, &q, &p, TELL_TIMEOUT_MS);
}

/* After a failure half-way: what stands in the list counts, whoever has been told what. */
static int list_reread(struct keeper *k)
{
	int rc = k->forgetful ? remember_all(k->signer) : 0;

	if (!rc && k->forgetful)
		publisher_stir(k->signer->publisher);
	k->forgetful = rc != 0;
	return rc;
}

/* Waits for revocations and writes them down. */
static int revocations_keep(struct keeper *k)
{
	struct revoked_take q = {.wait_ms = TAKE_WAIT_MS};
	size_t n;
	int rc, state;

	pthread_setcancelstate(PTHREAD_CANCEL_ENABLE, &state);
	rc = registry_revoked_take(k->is.registry, &q, k->entries, BATCH, &n, TAKE_TIMEOUT_MS);
	pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &state);
	for (size_t i = 0; !rc && i < n; i++) {
		struct list_place *p = &k->places[i];

		*p = (struct list_place){.at_ms = k->entries[i].at};
		rc = str_copy(p->serial, sizeof(p->serial), k->entries[i].cert_serial);
		if (!rc)
			rc = str_copy(p->device, sizeof(p->device), k->entries[i].device);
	}
	if (!rc && n)
		rc = revoked_log_append(k->signer->revoked, k->places, n);
	for (size_t i = 0; !rc && i < n; i++)
		rc = remember_revoked(k->signer, &k->places[i]);
	k->forgetful = rc && n;
	if (!rc && n)
		publisher_stir(k->signer->publisher);
	for (size_t i = 0; !rc && i < n; i++)
		LOG(LOG_INFO, "signer.revocation_kept", LOG_S("serial", k->places[i].serial),
		    LOG_S("device", k->places[i].device));
	return rc;
}

static void pause_ms(long ms)
{
	const struct timespec t = {.tv_nsec = ms * 1000000L};
	int state;

	pthread_setcancelstate(PTHREAD_CANCEL_ENABLE, &state);
	nanosleep(&t, NULL);
	pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &state);
}

static void *keeper_run(void *arg)
{
	struct keeper *k = arg;
	int rc, state;

	pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &state);
	for (;;) {
		if (!k->caught_up)
			k->is.introduced = 0;
		rc = list_reread(k);
		if (!rc)
			rc = issuance_introduce(&k->is);
		if (!rc)
			rc = lists_tell(k);
		if (!rc) {
			if (!k->caught_up)
				LOG(LOG_INFO, "keeper.caught_up",
				    LOG_U("issued", issued_log_count(k->signer->log)),
				    LOG_U("revoked", issued_log_count(k->signer->revoked)));
			k->caught_up = true;
			k->away = false;
			rc = revocations_keep(k);
		}
		if (!rc)
			continue;
		k->caught_up = false; /* it may come back with another database */
		if (!k->away)
			LOG(LOG_WARN, "keeper.waits", LOG_S("why", err_text()));
		k->away = true;
		pause_ms(AGAIN_MS);
	}
	return NULL;
}

int keeper_new(struct signer *signer, const char *registry_path, struct keeper **out)
{
	struct keeper *k = calloc(1, sizeof(*k));
	int rc = k ? ipc_client_new(registry_path, "signer", &k->is.registry)
		   : err_set(ERR_NOMEM, "no memory for the keeper of revocations");

	if (rc) {
		free(k);
		return rc;
	}
	k->signer = signer;
	k->is.signer = signer;
	if (pthread_create(&k->thread, NULL, keeper_run, k)) {
		ipc_client_free(k->is.registry);
		free(k);
		return err_set(ERR_NOMEM, "no thread for the keeper of revocations");
	}
	*out = k;
	return 0;
}

void keeper_free(struct keeper *k)
{
	if (!k)
		return;
	pthread_cancel(k->thread);
	pthread_join(k->thread, NULL);
	ipc_client_free(k->is.registry);
	free(k);
}
