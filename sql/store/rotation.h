/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Rotations of certificates (docs/decisions/0131): which pumps are asked to renew early, wave by
 * wave. A rotation is stored whole before the first pump is asked, so it goes on after any crash,
 * and a certificate is asked once. Rules as in store.h.
 */
#ifndef SQL_STORE_ROTATION_H
#define SQL_STORE_ROTATION_H

#include "sql/store/store.h"

/*
 * Plans the rotation that `rq` asks for, stores it unless rq->dry_run, and gives it with its
 * counts. ERR_UNCHANGED: no certificate is due; ERR_CONFLICT: another one is open; ERR_INVALID,
 * ERR_LIMIT (more than ROTATION_PUMPS_MAX pumps).
 */
int store_rotation_start(struct store *st, const struct action *by, const struct rotation_start *rq,
			 struct rotation *out) MUST_USE;
/* The same plan as waves, nothing stored. */
int store_rotation_preview(struct store *st, int64_t now, const struct rotation_start *rq,
			   struct rotation_wave *out, size_t max, size_t *n_out) MUST_USE;
/* halted -> running (what failed so far is forgiven), or running or halted -> cancelled.
 * ERR_NOT_FOUND, ERR_UNCHANGED, ERR_CONFLICT, ERR_INVALID. */
int store_rotation_change(struct store *st, const struct action *by,
			  const struct rotation_step *rq) MUST_USE;

/* id 0: the newest. ERR_NOT_FOUND. */
int store_rotation_show(struct store *st, uint64_t id, struct rotation *out) MUST_USE;
/* Its waves from rq->after on. */
int store_rotation_waves(struct store *st, const struct rotation_wave_query *rq,
			 struct rotation_wave *out, size_t max, size_t *n_out) MUST_USE;

/* The certificates that are to be renewed now, by serial. */
int store_renewal_asked(struct store *st, const struct list_query *q, struct renewal_ask *out,
			size_t max, size_t *n_out) MUST_USE;

/* Pumps of the running rotation whose patience is over. */
struct rotation_late {
	int64_t certificate;
	char device[DEVICE_SERIAL_SIZE];
	int64_t asked_at;
	bool was_seen; /* set by the caller: on the network since it was asked */
};
#define ROTATION_LATE_MAX 64
/* ERR_NOT_FOUND: no rotation runs. */
int store_rotation_late(struct store *st, int64_t now, struct rotation_late *out,
			size_t *n_out) MUST_USE;
/*
 * One step: what has been renewed or revoked is settled, late pumps have failed or are absent; then
 * the rotation halts, ends, or asks the next wave, unless it is a quiet hour (`minute` of the day)
 * or this wave is still busy. *changed_out: anything was. ERR_NOT_FOUND: no rotation runs.
 */
int store_rotation_step(struct store *st, const struct action *by, uint32_t minute,
			const struct rotation_late *late, size_t n_late,
			bool *changed_out) MUST_USE;

#endif
