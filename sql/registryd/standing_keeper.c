/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Owns the map of standings: its memory, when its entries stop to count (inside the transaction
 * that may change them) and when they are put again (after it). Only the writer's thread changes
 * it, so nothing is ever put while a change is under way. A failure costs entries, which are then
 * asked for; it never leaves one that is not so.
 */
#include "sql/registryd/service.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"

#define DIRTY_MAX 4096 /* marked and not put again yet; beyond it all are gone through */
#define SLICE 256      /* rows at once, before other work has its turn */
#define RETRY_US 1000000
#define FOREIGN_US 1000000 /* how often somebody else's change is looked for */

struct dirty {
	int64_t ids[DIRTY_MAX];
	size_t n;
};

struct standings {
	struct store *registry; /* the writer's */
	struct standing_watch watch;
	struct standing_map map;
	size_t size;
	int fd;
	struct dirty certificates, devices;
	int64_t version;    /* of what others have changed */
	int64_t version_us; /* when that was looked at */
	int64_t swept;	    /* all certificates up to this id were put; INT64_MAX: all were */
	bool ledger_moved;  /* closed until it has been looked at */
	uint64_t left_out;  /* for want of room, since the last sweep began */
	struct standing rows[SLICE];
};

/* ---- marks: inside a transaction ---- */

static void dirty_add(struct standings *sd, struct dirty *d, int64_t id)
{
	for (size_t i = d->n; i > 0 && i + 8 > d->n; i--)
		if (d->ids[i - 1] == id)
			return;
	if (d->n == DIRTY_MAX)
		sd->swept = 0;
	else
		d->ids[d->n++] = id;
}

static void certificate_changes(void *ctx, int64_t id)
{
	struct standings *sd = ctx;

	standing_map_mark_certificate(&sd->map, id);
	dirty_add(sd, &sd->certificates, id);
}

static void device_changes(void *ctx, int64_t id)
{
	struct standings *sd = ctx;

	standing_map_mark_device(&sd->map, id);
	dirty_add(sd, &sd->devices, id);
}

static void all_change(void *ctx)
{
	struct standings *sd = ctx;

	standing_map_mark_all(&sd->map);
	sd->swept = 0;
}

static void ledger_changes(void *ctx)
{
	struct standings *sd = ctx;

	standing_map_open(&sd->map, false);
	sd->ledger_moved = true;
}

/* ---- the memory ---- */

/* Nobody but this process, through this mapping, can write it or change its size. */
static int memory_make(struct standings *sd, uint64_t entries, uint64_t max_id)
{
	const unsigned seals = F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_FUTURE_WRITE | F_SEAL_SEAL;
	void *memory;

	sd->size = standing_map_size(entries, max_id);
	sd->fd = memfd_create("pumpgate-standings", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	if (sd->fd < 0 || fchmod(sd->fd, 0400) || ftruncate(sd->fd, (off_t)sd->size))
		return err_errno(ERR_IO, "memory for %zu bytes of standings", sd->size);
	memory = mmap(NULL, sd->size, PROT_READ | PROT_WRITE, MAP_SHARED, sd->fd, 0);
	if (memory == MAP_FAILED)
		return err_errno(ERR_NOMEM, "memory for %zu bytes of standings", sd->size);
	standing_map_init(memory, entries, max_id, &sd->map);
	if (fcntl(sd->fd, F_ADD_SEALS, seals))
		return err_errno(ERR_IO, "sealing the memory of standings");
	return 0;
}

int standings_new(struct store *registry, struct standings **out)
{
	struct standings *sd = calloc(1, sizeof(*sd));
	uint64_t valid;
	int64_t max_id;
	int rc;

	if (!sd)
		return err_set(ERR_NOMEM, "no memory for standings");
	sd->registry = registry;
	sd->fd = -1;
	sd->ledger_moved = true;
	sd->watch = (struct standing_watch){.certificate = certificate_changes,
					    .device = device_changes,
					    .all = all_change,
					    .ledger = ledger_changes,
					    .ctx = sd};
	rc = store_standings_count(registry, &valid, &max_id);
	if (!rc)
		rc = memory_make(sd, valid, (uint64_t)max_id);
	if (!rc)
		rc = store_standings_watch(registry, &sd->watch);
	if (rc) {
		standings_free(sd);
		return rc;
	}
	*out = sd;
	return 0;
}

void standings_free(struct standings *sd)
{
	if (!sd)
		return;
	if (sd->map.memory) {
		standing_map_open(&sd->map, false);
		munmap(sd->map.memory, sd->size);
	}
	if (sd->fd >= 0)
		close(sd->fd);
	free(sd);
}

void standings_beat(struct standings *sd)
{
	standing_map_beat(&sd->map, clock_mono_us());
}

int standings_fd(const struct standings *sd)
{
	return sd->fd;
}

/* ---- putting: between transactions ---- */

static void rows_put(struct standings *sd, size_t n)
{
	for (size_t i = 0; i < n; i++)
		sd->left_out += standing_map_put(&sd->map, &sd->rows[i]) != 0;
}

static int dirty_put(struct standings *sd, struct dirty *d, enum standing_pick pick)
{
	size_t n;
	int rc = 0;

	for (size_t i = 0; !rc && d->n && i < SLICE; i++) {
		rc = store_standings(sd->registry, pick, d->ids[d->n - 1], sd->rows, SLICE, &n);
		if (rc)
			break;
		d->n--;
		rows_put(sd, n);
	}
	return rc;
}

static int sweep(struct standings *sd)
{
	size_t n;
	int rc;

	if (sd->swept == 0)
		sd->left_out = 0;
	rc = store_standings(sd->registry, STANDING_AFTER, sd->swept, sd->rows, SLICE, &n);
	if (rc)
		return rc;
	rows_put(sd, n);
	sd->swept = n == SLICE ? sd->rows[n - 1].certificate : INT64_MAX;
	if (n < SLICE)
		LOG(LOG_INFO, "standings.whole", LOG_U("bytes", sd->size),
		    LOG_U("put_so_far", sd->map.numbers), LOG_U("left_out", sd->left_out));
	return 0;
}

static int ledger_look(struct standings *sd)
{
	bool hold = true;
	int rc = store_standings_hold(sd->registry, &hold);

	if (rc)
		return rc;
	standing_map_open(&sd->map, !hold);
	sd->ledger_moved = false;
	return 0;
}

/* A change behind our back, which no hook tells: late, but not never. */
static int foreign_look(struct standings *sd, int64_t now_us)
{
	int64_t version;
	int rc;

	if (now_us - sd->version_us < FOREIGN_US)
		return 0;
	rc = store_standings_version(sd->registry, &version);
	if (rc)
		return rc;
	if (sd->version && version != sd->version) {
		LOG(LOG_WARN, "standings.foreign",
		    LOG_S("why", "another program has changed the registry"));
		all_change(sd);
	}
	sd->version = version;
	sd->version_us = now_us;
	return 0;
}

int64_t standings_serve(struct standings *sd)
{
	int64_t now_us = clock_mono_us();
	int rc = foreign_look(sd, now_us);

	if (!rc)
		rc = dirty_put(sd, &sd->devices, STANDING_DEVICE);
	if (!rc)
		rc = dirty_put(sd, &sd->certificates, STANDING_CERTIFICATE);
	if (!rc && sd->swept != INT64_MAX)
		rc = sweep(sd);
	if (!rc && sd->ledger_moved)
		rc = ledger_look(sd);
	if (rc) {
		LOG(LOG_ERROR, "standings.failed", LOG_S("why", err_text()));
		return now_us + RETRY_US;
	}
	if (sd->devices.n || sd->certificates.n || sd->swept != INT64_MAX)
		return now_us;
	return sd->version_us + FOREIGN_US;
}
