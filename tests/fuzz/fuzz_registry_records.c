/* SPDX-License-Identifier: BSD-2-Clause */
/* Requests to registryd: any bytes as each kind of record that a less trusted role may send. What
 * is accepted must come out the same when it is written and read again. */
#include <stdlib.h>
#include <string.h>

#include "sql/proto/registry_records.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static const struct record_desc *const kinds[] = {
	&record_cert_name,     &record_mac_query,	&record_nas_query,   &record_auth_event,
	&record_acct_event,    &record_issue_begin,	&record_issue_store, &record_enroll_event,
	&record_dispatch_take, &record_dispatch_result, &record_device,	     &record_list_query,
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static uint64_t first[2048], second[2048]; /* aligned; larger than any record */
	const struct record_desc *d;
	struct cursor c;
	AUTO_BUF b = {.max = 64 * 1024};

	if (len < 1)
		return 0;
	d = kinds[data[0] % (sizeof(kinds) / sizeof(kinds[0]))];
	if (d->size > sizeof(first))
		abort();
	c = cursor_of(data + 1, len - 1);
	if (record_get(&c, d, first))
		return 0;
	if (record_put(&b, d, first))
		abort();
	c = cursor_of(b.data, b.len);
	if (record_get(&c, d, second) || c.left)
		abort();
	for (size_t i = 0; i < d->n_fields; i++) {
		const struct record_field *f = &d->fields[i];

		if (f->type == RECORD_STR &&
		    (!memchr((uint8_t *)first + f->offset, 0, f->size) ||
		     strcmp((char *)first + f->offset, (char *)second + f->offset)))
			abort();
	}
	return 0;
}
