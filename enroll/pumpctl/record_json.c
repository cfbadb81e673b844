/* SPDX-License-Identifier: BSD-2-Clause */
/* Owns the JSON form of records. Never shows a RECORD_HIDE field. */
#include "enroll/pumpctl/record_json.h"

#include <string.h>

#include "base/clock.h"
#include "base/log.h"

json_t *text_to_json(const char *text)
{
	json_t *j = json_string(text);
	char escaped[1024];

	if (j)
		return j;
	log_escape(text, strlen(text), escaped, sizeof(escaped));
	return json_string(escaped);
}

json_t *time_to_json(int64_t wall_ms)
{
	char text[CLOCK_TEXT_MAX];

	if (wall_ms == 0)
		return json_null();
	clock_format(wall_ms, text);
	return json_string(text);
}

static json_t *blob_to_json(const struct record_blob *b)
{
	AUTO_BUF hex = {.max = 2 * 65536};
	uint8_t *at;

	if (buf_reserve(&hex, 2 * (size_t)b->len + 1, &at))
		return NULL;
	hex_encode(b->data, b->len, (char *)at, 2 * (size_t)b->len + 1);
	return json_string((const char *)at);
}

static json_t *field_to_json(const struct record_field *f, const void *at)
{
	switch (f->type) {
	case RECORD_BOOL:
		return json_boolean(*(const bool *)at);
	case RECORD_U32:
		return json_integer(*(const uint32_t *)at);
	case RECORD_U64:
		return json_integer((json_int_t) * (const uint64_t *)at);
	case RECORD_TIME:
		return time_to_json(*(const int64_t *)at);
	case RECORD_STR:
		return text_to_json(at);
	case RECORD_BLOB:
		return blob_to_json(at);
	case RECORD_HIDE:
		break;
	}
	return NULL;
}

json_t *record_to_json(const struct record_desc *d, const void *record)
{
	json_t *j = json_object();

	for (size_t i = 0; j && i < d->n_fields; i++) {
		const struct record_field *f = &d->fields[i];

		if (f->type == RECORD_HIDE)
			continue;
		if (json_object_set_new(j, f->name,
					field_to_json(f, (const uint8_t *)record + f->offset))) {
			json_decref(j);
			return NULL;
		}
	}
	return j;
}

int json_show(json_t *j)
{
	int rc;

	if (!j)
		return err_set(ERR_NOMEM, "no memory for the answer");
	rc = json_dumpf(j, stdout, JSON_INDENT(2)) || putchar('\n') == EOF;
	json_decref(j);
	return rc ? err_set(ERR_IO, "cannot write the answer") : 0;
}
