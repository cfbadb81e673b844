/* SPDX-License-Identifier: BSD-2-Clause */
/* Owns the choice of pumps for a recall. Never revokes any. */
#include "enroll/pumpctl/recall_choice.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "enroll/pumpctl/query.h"
#include "enroll/pumpctl/record_json.h"
#include "enroll/pumpctl/registry.h"
#include "enroll/pumpctl/report.h"
#include "enroll/pumpctl/serial_list.h"

#define GROUPS_SHOWN 15
#define CHUNK 65536

RECORD_DESCRIBE(recall_group, RECALL_GROUP_FIELDS)

void recall_choice_free(struct recall_choice *c)
{
	free(c->pumps);
	free(c->groups);
	json_decref(c->bad_rows);
	memset(c, 0, sizeof(*c));
}

/* Room for one more of `size` bytes. */
static int grow(void **items, size_t n, size_t *room, size_t size)
{
	size_t bigger = *room ? *room * 2 : 64;
	void *p = n < *room ? *items : realloc(*items, bigger * size);

	if (!p)
		return err_set(ERR_NOMEM, "no memory for pumps");
	*items = p;
	*room = n < *room ? *room : bigger;
	return 0;
}

static int group_find(struct recall_choice *c, const struct device *d, struct recall_group **out)
{
	for (size_t i = 0; i < c->n_groups; i++) {
		*out = &c->groups[i];
		if (!strcmp((*out)->ward, d->ward) && !strcmp((*out)->model, d->model))
			return 0;
	}
	if (grow((void **)&c->groups, c->n_groups, &c->groups_room, sizeof(*c->groups)))
		return ERR_NOMEM;
	*out = &c->groups[c->n_groups++];
	**out = (struct recall_group){0};
	memcpy((*out)->ward, d->ward, sizeof((*out)->ward));
	memcpy((*out)->model, d->model, sizeof((*out)->model));
	return 0;
}

int recall_choice_add(struct recall_choice *c, const struct device *d)
{
	struct recall_group *g;
	int rc;

	if (!strcmp(d->state, "revoked")) {
		c->already++;
		return 0;
	}
	if (c->n == RECALL_PUMPS_MAX)
		return err_set(ERR_LIMIT, "a recall has at most %d pumps", RECALL_PUMPS_MAX);
	if ((rc = grow((void **)&c->pumps, c->n, &c->room, sizeof(*c->pumps))) ||
	    (rc = group_find(c, d, &g)))
		return rc;
	memcpy(c->pumps[c->n++].device, d->serial, sizeof(d->serial));
	g->pumps++;
	g->on += d->live_sessions > 0;
	c->on += d->live_sessions > 0;
	return 0;
}

/* ---- by filters ---- */

static void filter_words(struct recall_choice *c, const char *name, const char *value)
{
	size_t at = strlen(c->chosen);
	char safe[2 * LABEL_SIZE];

	if (!*value)
		return;
	log_escape(value, strlen(value), safe, sizeof(safe));
	snprintf(c->chosen + at, sizeof(c->chosen) - at, "%s%s=%s", at ? " " : "", name, safe);
}

static int filters_take(const struct call *call, struct ipc_client *client, struct recall_choice *c)
{
	struct device *page = calloc(LISTING_PAGE, sizeof(*page));
	struct list_query q = {.limit = LISTING_PAGE};
	size_t n = LISTING_PAGE;
	int rc = page ? query_filters_take(call, &q) : err_set(ERR_NOMEM, "no memory for pumps");

	filter_words(c, "model", q.model);
	filter_words(c, "ward", q.ward);
	filter_words(c, "zone", q.zone);
	while (!rc && n == LISTING_PAGE) {
		rc = registry_device_list(client, &q, page, LISTING_PAGE, &n, REGISTRY_TIMEOUT_MS);
		for (size_t i = 0; !rc && i < n; i++)
			rc = recall_choice_add(c, &page[i]);
		if (!rc && n)
			memcpy(q.after, page[n - 1].serial, sizeof(page[n - 1].serial));
	}
	free(page);
	return rc;
}

/* ---- by a list ---- */

struct reading {
	struct recall_choice *choice;
	struct ipc_client *client;
	struct pump_name names[REGISTRY_LOOK_MAX];
	unsigned lines[REGISTRY_LOOK_MAX];
	size_t n;
	struct device devices[REGISTRY_LOOK_MAX];
};

static int on_bad(void *ctx, unsigned line, const char *text, const char *why)
{
	struct recall_choice *c = ((struct reading *)ctx)->choice;

	c->bad++;
	if (!c->bad_rows) {
		printf("line %u: %s: %s\n", line, text, why);
		return 0;
	}
	return json_array_append_new(c->bad_rows, json_pack("{s:i s:s s:s}", "line", (int)line,
							    "serial", text, "reason", why))
		       ? err_set(ERR_NOMEM, "no memory for the answer")
		       : 0;
}

static int names_look(struct reading *r)
{
	size_t n = r->n;
	int rc = n ? registry_device_look(r->client, r->names, n, r->devices, REGISTRY_TIMEOUT_MS)
		   : 0;

	r->n = 0;
	for (size_t i = 0; !rc && i < n; i++)
		rc = *r->devices[i].serial
			     ? recall_choice_add(r->choice, &r->devices[i])
			     : on_bad(r, r->lines[i], r->names[i].device, "not in the inventory");
	return rc;
}

static int on_serial(void *ctx, unsigned line, const char *serial)
{
	struct reading *r = ctx;

	r->lines[r->n] = line;
	if (str_copy(r->names[r->n++].device, DEVICE_SERIAL_SIZE, serial))
		return ERR_INTERNAL;
	return r->n == REGISTRY_LOOK_MAX ? names_look(r) : 0;
}

static int fd_feed(int fd, struct serial_list *l)
{
	char *chunk = malloc(CHUNK);
	int rc = chunk ? 0 : err_set(ERR_NOMEM, "no memory to read the list");

	while (!rc) {
		ssize_t n = read(fd, chunk, CHUNK);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			rc = err_errno(ERR_IO, "reading the list");
		if (n <= 0)
			break;
		rc = serial_list_feed(l, chunk, (size_t)n);
	}
	free(chunk);
	return rc ? rc : serial_list_end(l);
}

static int list_take(const char *path, struct ipc_client *client, struct recall_choice *c)
{
	struct reading *r = calloc(1, sizeof(*r));
	const struct serial_list_sink sink = {on_serial, on_bad, r};
	struct serial_list list = {0};
	char safe[128];
	int fd, rc = r ? serial_list_init(&list, &sink, RECALL_PUMPS_MAX)
		       : err_set(ERR_NOMEM, "no memory for the list");

	if (rc) {
		free(r);
		return rc;
	}
	r->choice = c;
	r->client = client;
	log_escape(path, strlen(path), safe, sizeof(safe));
	snprintf(c->chosen, sizeof(c->chosen), "list %s", safe);
	fd = strcmp(path, "-") ? open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY) : dup(0);
	rc = fd < 0 ? err_errno(ERR_IO, "%s", path) : fd_feed(fd, &list);
	if (fd >= 0)
		close(fd);
	if (!rc)
		rc = names_look(r);
	serial_list_done(&list);
	free(r);
	return rc;
}

/* ---- both ---- */

bool recall_choice_is_asked(const struct call *call)
{
	return call_value(call, "model") || call_value(call, "ward") || call_value(call, "zone") ||
	       call_value(call, "file");
}

int recall_choice_take(const struct call *call, struct ipc_client *c, struct recall_choice *out)
{
	const char *file = call_value(call, "file");

	memset(out, 0, sizeof(*out));
	if (call->json && !(out->bad_rows = json_array()))
		return err_set(ERR_NOMEM, "no memory for the answer");
	return file ? list_take(file, c, out) : filters_take(call, c, out);
}

static int by_size(const void *a, const void *b)
{
	const struct recall_group *x = a, *y = b;

	return x->pumps != y->pumps	  ? (x->pumps < y->pumps) - (x->pumps > y->pumps)
	       : strcmp(x->ward, y->ward) ? strcmp(x->ward, y->ward)
					  : strcmp(x->model, y->model);
}

static void groups_sort(struct recall_choice *c)
{
	if (c->n_groups)
		qsort(c->groups, c->n_groups, sizeof(*c->groups), by_size);
}

void recall_meaning_print(FILE *to)
{
	fputs("What it means: infusions go on; rate, dose, alarms and keypad stay local. What "
	      "needs\n"
	      "the network stops on these pumps at once: monitoring from afar, drug library "
	      "updates,\n"
	      "logins that ask the hospital. It is for good: no command takes a revocation back.\n"
	      "Milder, pump by pump: pumpctl pump quarantine.\n",
	      to);
}

void recall_choice_print(FILE *to, struct recall_choice *c)
{
	static const struct column columns[] = {
		{"WARD", "ward"}, {"MODEL", "model"}, {"PUMPS", "pumps"}, {"ON NOW", "on"}};
	struct table t = {.to = to, .columns = columns, .n_columns = 4, .width = terminal_width()};
	size_t shown = c->n_groups < GROUPS_SHOWN ? c->n_groups : GROUPS_SHOWN;

	groups_sort(c);
	if (shown)
		table_print(&t, &record_recall_group, c->groups, shown);
	if (shown < c->n_groups)
		fprintf(to, "and %zu more groups (--json has all)\n", c->n_groups - shown);
	fprintf(to, "%s: %zu pumps, %" PRIu64 " of them on the network now", c->chosen, c->n,
		c->on);
	if (c->already)
		fprintf(to, "; %" PRIu64 " more are revoked already", c->already);
	if (c->bad)
		fprintf(to, "; %" PRIu64 " lines are left out", c->bad);
	fputc('\n', to);
}

json_t *recall_choice_to_json(struct recall_choice *c)
{
	json_t *groups = json_array();
	json_t *j = json_pack("{s:s s:I s:I s:I s:I}", "chosen", c->chosen, "pumps",
			      (json_int_t)c->n, "on_now", (json_int_t)c->on, "already_revoked",
			      (json_int_t)c->already, "bad_lines", (json_int_t)c->bad);

	groups_sort(c);
	for (size_t i = 0; i < c->n_groups; i++)
		json_array_append_new(groups, record_to_json(&record_recall_group, &c->groups[i]));
	if (!j || json_object_set_new(j, "groups", groups) ||
	    json_object_set(j, "bad_rows", c->bad_rows)) {
		json_decref(j);
		return NULL;
	}
	return j;
}
