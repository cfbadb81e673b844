/* SPDX-License-Identifier: BSD-2-Clause */
/* Owns the short memory of wrong passwords. Never a password. */
#include "sql/credd/spray.h"

static struct spray_password *password_get(struct spray *s, uint64_t password, int64_t now_ms)
{
	struct spray_password *oldest = &s->passwords[0];

	for (int i = 0; i < SPRAY_PASSWORDS; i++) {
		struct spray_password *p = &s->passwords[i];

		if (p->password == password && now_ms - p->first_ms < SPRAY_WINDOW_MS)
			return p;
		if (p->password == password || p->last_ms < oldest->last_ms)
			oldest = p;
		if (p->password == password)
			break;
	}
	*oldest = (struct spray_password){.password = password, .first_ms = now_ms};
	return oldest;
}

bool spray_note(struct spray *s, uint64_t password, uint64_t name, int64_t now_ms)
{
	struct spray_password *p = password_get(s, password ? password : 1, now_ms);
	bool tell;

	p->last_ms = now_ms;
	for (unsigned i = 0; i < p->n_names; i++)
		if (p->names[i] == name)
			return false;
	if (p->n_names < SPRAY_NAMES)
		p->names[p->n_names++] = name;
	tell = p->n_names == SPRAY_NAMES && !p->told;
	p->told |= tell;
	return tell;
}
