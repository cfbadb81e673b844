/* SPDX-License-Identifier: BSD-2-Clause */
/* Owns the answers that are ready. Never gives one about another state than it was made for. */
#include "ca/signerd/ocsp_ready.h"

#include <stdlib.h>
#include <string.h>

#define SLOTS 4096 /* a power of two */

struct slot {
	uint8_t serial[CA_SERIAL_BYTES];
	int md;
	enum ocsp_state state;
	int64_t revoked_at_ms;
	uint32_t ca;
	int64_t from_ms, until_ms;
	uint8_t *der; /* NULL: free */
	uint32_t der_len;
};

struct ocsp_ready {
	struct slot slots[SLOTS];
};

int ocsp_ready_new(struct ocsp_ready **out)
{
	*out = calloc(1, sizeof(**out));
	return *out ? 0 : err_set(ERR_NOMEM, "no memory for OCSP answers");
}

void ocsp_ready_clear(struct ocsp_ready *t)
{
	for (size_t i = 0; i < SLOTS; i++) {
		free(t->slots[i].der);
		t->slots[i].der = NULL;
	}
}

void ocsp_ready_free(struct ocsp_ready *t)
{
	if (!t)
		return;
	ocsp_ready_clear(t);
	free(t);
}

/* Serials are random: their own bits are the hash. */
static size_t slot_of(const struct ocsp_item *i)
{
	return (((size_t)i->serial[14] << 8 | i->serial[15]) ^ (size_t)EVP_MD_get_type(i->md)) &
	       (SLOTS - 1);
}

static bool is_about(const struct slot *s, const struct ocsp_item *i)
{
	return s->der && s->md == EVP_MD_get_type(i->md) &&
	       !memcmp(s->serial, i->serial, sizeof(s->serial)) && s->state == i->state &&
	       s->ca == i->ca && s->revoked_at_ms == i->revoked_at_ms;
}

bool ocsp_ready_get(const struct ocsp_ready *t, const struct ocsp_item *i, int64_t now_ms,
		    struct ocsp_answer *out)
{
	const struct slot *s = &t->slots[slot_of(i)];

	if (i->serial_len != sizeof(s->serial) || !is_about(s, i) || now_ms < s->from_ms ||
	    now_ms >= s->until_ms)
		return false;
	memcpy(out->der.data, s->der, s->der_len);
	out->der.len = s->der_len;
	return true;
}

void ocsp_ready_put(struct ocsp_ready *t, const struct ocsp_item *i, int64_t now_ms, int64_t for_ms,
		    const struct ocsp_answer *answer)
{
	struct slot *s = &t->slots[slot_of(i)];
	uint8_t *der = i->serial_len == sizeof(s->serial) ? malloc(answer->der.len) : NULL;

	if (!der) /* then it is signed again next time */
		return;
	memcpy(der, answer->der.data, answer->der.len);
	free(s->der);
	*s = (struct slot){.md = EVP_MD_get_type(i->md),
			   .state = i->state,
			   .revoked_at_ms = i->revoked_at_ms,
			   .ca = i->ca,
			   .from_ms = now_ms,
			   .until_ms = now_ms + for_ms,
			   .der = der,
			   .der_len = answer->der.len};
	memcpy(s->serial, i->serial, sizeof(s->serial));
}
