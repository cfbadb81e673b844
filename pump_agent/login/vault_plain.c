/* SPDX-License-Identifier: BSD-2-Clause */
/* Owns the bytes of the offline store before they are sealed. Never a file. */
#include <string.h>

#include "pump_agent/login/vault.h"

#define VAULT_VERSION 1

int vault_build(const struct offline *o, struct buf *out)
{
	int rc = buf_put_u8(out, VAULT_VERSION);

	rc = rc ? rc : record_put(out, &record_offline_head, &o->head);
	rc = rc ? rc : record_put(out, &record_age, &o->age);
	for (uint32_t i = 0; !rc && i < o->head.n_people; i++)
		rc = record_put(out, &record_offline_person, &o->people[i]);
	for (uint32_t i = 0; !rc && i < o->head.n_codes; i++)
		rc = record_put(out, &record_offline_code, &o->codes[i]);
	for (uint32_t i = 0; !rc && i < o->head.n_records; i++)
		rc = record_put(out, &record_login_record, &o->records[i]);
	return rc;
}

int vault_parse(const void *data, size_t len, struct offline *out)
{
	struct cursor c = cursor_of(data, len);
	struct offline_head *h = &out->head;
	uint8_t version;
	int rc = cursor_u8(&c, &version);

	if (!rc && version != VAULT_VERSION)
		return err_set(ERR_CORRUPT, "the offline store has version %u", version);
	memset(out, 0, sizeof(*out));
	rc = rc ? rc : record_get(&c, &record_offline_head, h);
	rc = rc ? rc : record_get(&c, &record_age, &out->age);
	if (!rc && (h->n_people > OFFLINE_PEOPLE_MAX || h->n_codes > BREAK_GLASS_PER_PUMP ||
		    h->n_records > OFFLINE_RECORDS_MAX))
		rc = err_set(ERR_CORRUPT, "the offline store has too many entries");
	for (uint32_t i = 0; !rc && i < h->n_people; i++)
		rc = record_get(&c, &record_offline_person, &out->people[i]);
	for (uint32_t i = 0; !rc && i < h->n_codes; i++)
		rc = record_get(&c, &record_offline_code, &out->codes[i]);
	for (uint32_t i = 0; !rc && i < h->n_records; i++)
		rc = record_get(&c, &record_login_record, &out->records[i]);
	if (!rc && c.left)
		rc = err_set(ERR_CORRUPT, "the offline store goes on after its end");
	return rc;
}
