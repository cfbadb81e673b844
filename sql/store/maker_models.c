/* SPDX-License-Identifier: BSD-2-Clause */
/* Owns the text that lists a maker's models. Pure. */
#include "sql/store/maker_models.h"

#include <string.h>

#include "sql/proto/registry_records.h"

struct entry {
	const char *model, *oid; /* not NUL-terminated; oid_len 0: any */
	size_t model_len, oid_len;
	const char *next; /* NULL: the last one */
};

static struct entry entry_at(const char *at)
{
	size_t len = strcspn(at, ",");
	const char *equals = memchr(at, '=', len);
	struct entry e = {.model = at, .model_len = equals ? (size_t)(equals - at) : len};

	if (equals) {
		e.oid = equals + 1;
		e.oid_len = len - e.model_len - 1;
	}
	e.next = at[len] ? at + len + 1 : NULL;
	return e;
}

/* "1.3.6.1.4.1.99999.1": digits in groups, at least two groups. */
static bool is_oid(const char *text, size_t len)
{
	size_t dots = 0;

	for (size_t i = 0; i < len; i++) {
		bool dot = text[i] == '.';

		if (!dot && (text[i] < '0' || text[i] > '9'))
			return false;
		if (dot && (i == 0 || i + 1 == len || text[i + 1] == '.'))
			return false;
		dots += dot;
	}
	return dots > 0 && len < OID_SIZE;
}

static bool is_same(const struct entry *e, const char *model, size_t len)
{
	return e->model_len == len && !memcmp(e->model, model, len);
}

int maker_models_check(const char *models)
{
	for (const char *at = models; at;) {
		struct entry e = entry_at(at);

		if (e.model_len == 0 || e.model_len >= LABEL_SIZE)
			return err_set(ERR_INVALID, "models: each has 1 to %d characters",
				       LABEL_SIZE - 1);
		if (e.oid && !is_oid(e.oid, e.oid_len))
			return err_set(ERR_INVALID,
				       "models: %.*s= wants the hwType of its certificates, such "
				       "as 1.3.6.1.4.1.99999.1",
				       (int)e.model_len, e.model);
		for (const char *later = e.next; later;) {
			struct entry other = entry_at(later);

			if (is_same(&e, other.model, other.model_len))
				return err_set(ERR_INVALID, "models: %.*s is there twice",
					       (int)e.model_len, e.model);
			later = other.next;
		}
		at = e.next;
	}
	return 0;
}

bool maker_models_has(const char *models, const char *model, const char *hw_type)
{
	for (const char *at = models; at;) {
		struct entry e = entry_at(at);

		if (*model && is_same(&e, model, strlen(model)))
			return !e.oid || !hw_type ||
			       (strlen(hw_type) == e.oid_len && !memcmp(hw_type, e.oid, e.oid_len));
		at = e.next;
	}
	return false;
}
