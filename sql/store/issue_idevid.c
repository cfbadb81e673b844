/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Owns the grounds that a maker's birth certificate gives (IEEE 802.1AR): an enabled maker, the
 * inventory's word for maker and model, and a pump that was never enrolled.
 */
#include "sql/store/issue_proof.h"
#include "sql/store/maker_models.h"

#include <string.h>

#define SHA256_BYTES 32

static int maker_refused(const char *why, const char *what)
{
	return err_set(ERR_DENIED, "maker-refused: %s%s", why, what);
}

/* The maker at whose anchor the chain ended: enabled, and the one that the signer named. */
static int maker_check(struct db *db, const struct issue_begin *rq, char models[MAKER_MODELS_SIZE])
{
	AUTO_QUERY q;
	int rc = query_open(&q, db,
			    "SELECT m.models FROM maker_anchors a JOIN makers m"
			    " ON m.id = a.maker_id WHERE a.sha256 = ?1 AND m.name = ?2"
			    " AND m.enabled = 1",
			    DB_B(rq->anchor_sha256.data, rq->anchor_sha256.len), DB_T(rq->maker));

	if (!rc)
		rc = query_next(&q);
	if (rc < 0)
		return rc;
	if (rc == 0)
		return maker_refused("that anchor is no enabled maker's", "");
	query_text(&q, 0, models, MAKER_MODELS_SIZE);
	return 0;
}

static int vouching_check(struct db *db, const struct issue_begin *rq,
			  const struct issue_device *device)
{
	char models[MAKER_MODELS_SIZE];
	int rc = maker_check(db, rq, models);

	if (rc)
		return rc;
	if (strcmp(device->maker, rq->maker) != 0)
		return maker_refused("the inventory has the pump as made by ", device->maker);
	if (!maker_models_has(models, device->model, rq->hw_type))
		return maker_refused("that maker and hwType do not vouch for the pump's model ",
				     device->model);
	return 0;
}

/* A birth certificate stands for one key, and only until the pump is enrolled. */
static int first_check(struct db *db, int64_t now, const struct issue_device *device)
{
	int64_t n = 0;
	int rc = db_number(db, &n,
			   "SELECT count(*) FROM certificates WHERE device_id = ?1"
			   " AND state = 'reserved' AND reserved_at > ?2",
			   DB_I(device->id), DB_I(now - RESERVED_MS));

	if (rc)
		return rc;
	if (n)
		return err_set(ERR_USED,
			       "idevid-used: pump %s is being enrolled already, for another key",
			       device->serial);
	if (strcmp(device->state, "expected"))
		return err_set(ERR_USED, "idevid-used: pump %s is %s", device->serial,
			       device->state);
	return 0;
}

int issue_proof_by_idevid(struct db *db, const struct issue_begin *rq, int64_t now,
			  struct issue_device *device)
{
	int64_t n = 0;
	int rc;

	if (rq->idevid_sha256.len != SHA256_BYTES || rq->anchor_sha256.len != SHA256_BYTES ||
	    !*rq->device)
		return err_set(ERR_INVALID, "no birth certificate was named");
	rc = issue_device_find(db, rq->device, -1, device);
	if (rc == ERR_NOT_FOUND)
		return err_set(rc, "unknown-pump: the inventory has no pump %s", rq->device);
	if (!rc)
		rc = vouching_check(db, rq, device);
	if (rc)
		return rc;
	if (!strcmp(device->state, "revoked"))
		return err_set(ERR_CONFLICT, "pump %s is revoked", device->serial);
	if (!strcmp(device->state, "held"))
		return err_set(ERR_CONFLICT,
			       "restored-gap: pump %s is held back: pumpctl backup merge",
			       device->serial);
	rc = db_number(db, &n,
		       "SELECT count(*) FROM certificates WHERE idevid = ?1 AND device_id = ?2"
		       " AND spki_sha256 = ?3",
		       DB_B(rq->idevid_sha256.data, SHA256_BYTES), DB_I(device->id),
		       DB_B(rq->spki_sha256.data, SPKI_BYTES));
	if (rc || n)
		return rc ? rc : 1;
	return first_check(db, now, device);
}
