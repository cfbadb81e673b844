/* SPDX-License-Identifier: BSD-2-Clause */
/* Owns talking to the registry on behalf of a person. Never decides what may be asked. */
#include "enroll/pumpctl/registry.h"

#include <stdlib.h>
#include <string.h>

#include "base/daemon.h"
#include "enroll/pumpctl/record_json.h"
#include "enroll/pumpctl/report.h"
#include "sql/proto/cred_verbs.h"

int registry_open(const struct call *call, struct ipc_client **out)
{
	char path[PATH_MAX];
	int rc = home_path(home_dir(call->home), REGISTRY_SOCKET, path);

	return rc ? rc : ipc_client_new(path, "admin", out);
}

int cred_open(const struct call *call, struct ipc_client **out)
{
	char path[PATH_MAX];
	int rc = home_path(home_dir(call->home), CRED_SOCKET, path);

	return rc ? rc : ipc_client_new(path, "admin", out);
}

static int service_failure(const struct call *call, const char *service, const char *socket, int rc)
{
	const char *home = home_dir(call->home);

	if ((rc == ERR_UNAVAILABLE && strstr(err_text(), "no welcome")) ||
	    (rc == ERR_DENIED && strstr(err_text(), socket)))
		rc = err_set(ERR_DENIED,
			     "%s does not take this user as an admin; do it as root, or as "
			     "one of [users] admins in %s/pumpgate.conf",
			     service, home);
	else if (rc == ERR_UNAVAILABLE)
		rc = err_add(rc, "%s does not answer at %s/%s: is `pumpctl --home %s run` running?",
			     service, home, socket, home);
	else if (rc == ERR_TIMEOUT)
		rc = err_add(rc,
			     "no answer in time, it may or may not be done; repeat the command");
	return report_failure(rc);
}

int registry_failure(const struct call *call, int rc)
{
	return service_failure(call, "registryd", REGISTRY_SOCKET, rc);
}

int cred_failure(const struct call *call, int rc)
{
	return service_failure(call, "credd", CRED_SOCKET, rc);
}

struct page {
	const struct call *call;
	const struct listing *l;
	struct table table;
	size_t shown;
};

static int page_json(struct page *p, const uint8_t *records, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		AUTO_JSON j = record_to_json(p->l->desc, records + i * p->l->desc->size);

		if (!j)
			return err_set(ERR_NOMEM, "no memory for the answer");
		fputs(p->shown + i ? ",\n  " : "[\n  ", stdout);
		json_dumpf(j, stdout, JSON_COMPACT);
	}
	return 0;
}

static int page_show(struct page *p, const uint8_t *records, size_t n)
{
	int rc = 0;

	if (p->call->json)
		rc = page_json(p, records, n);
	else if (n)
		table_print(&p->table, p->l->desc, records, n);
	p->shown += n;
	return rc;
}

/* The next page begins after the last record of this one. */
static int query_advance(const struct listing *l, const uint8_t *last, struct list_query *q)
{
	for (size_t i = 0; i < l->desc->n_fields; i++) {
		const struct record_field *f = &l->desc->fields[i];

		if (f->type == RECORD_STR && !strcmp(f->name, l->key))
			return str_copy(q->after, sizeof(q->after), (const char *)last + f->offset);
	}
	return err_set(ERR_INTERNAL, "%s has no field %s", l->desc->name, l->key);
}

static int pages_show(struct page *p, struct ipc_client *c, struct list_query *q, size_t limit,
		      uint8_t *records)
{
	const struct listing *l = p->l;
	size_t n;

	do {
		size_t left = limit ? limit - p->shown : LISTING_PAGE;
		int rc;

		q->limit = (uint32_t)(left < LISTING_PAGE ? left : LISTING_PAGE);
		rc = ipc_client_call(c, l->verb, &record_list_query, q, 1, l->desc, records,
				     LISTING_PAGE, &n, REGISTRY_TIMEOUT_MS);
		if (rc || (rc = page_show(p, records, n)))
			return rc;
		if (n && l->key && (rc = query_advance(l, records + (n - 1) * l->desc->size, q)))
			return rc;
	} while (n && l->key && (!limit || p->shown < limit));
	return 0;
}

static int show_all(const struct call *call, const struct listing *l, struct list_query *query,
		    size_t limit, bool people)
{
	AUTO_IPC_CLIENT c = NULL;
	struct page p = {.call = call,
			 .l = l,
			 .table = {.to = stdout,
				   .columns = l->columns,
				   .n_columns = l->n_columns,
				   .width = terminal_width()}};
	uint8_t *records = calloc(LISTING_PAGE, l->desc->size);
	int rc = records ? 0 : err_set(ERR_NOMEM, "no memory for the list");

	if (!rc)
		rc = people ? cred_open(call, &c) : registry_open(call, &c);
	if (!rc)
		rc = pages_show(&p, c, query, limit, records);
	free(records);
	if (rc)
		return people ? cred_failure(call, rc) : registry_failure(call, rc);
	if (call->json)
		puts(p.shown ? "\n]" : "[]");
	else if (!p.shown)
		puts(l->none);
	return EXIT_DONE;
}

int listing_show(const struct call *call, const struct listing *l, struct list_query *query,
		 size_t limit)
{
	return show_all(call, l, query, limit, false);
}

int people_show(const struct call *call, const struct listing *l, struct list_query *query,
		size_t limit)
{
	return show_all(call, l, query, limit, true);
}

int record_show(const struct call *call, const struct record_desc *d, const void *record)
{
	int rc;

	if (!call->json) {
		record_print(stdout, d, record);
		return EXIT_DONE;
	}
	rc = json_show(record_to_json(d, record));
	return rc ? report_failure(rc) : EXIT_DONE;
}
