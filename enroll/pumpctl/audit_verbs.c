/* SPDX-License-Identifier: BSD-2-Clause */
/* pumpctl audit tail | export: the audit's rows, for people and for other systems. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/clock.h"
#include "enroll/pumpctl/audit_chain.h"
#include "enroll/pumpctl/audit_syslog.h"
#include "enroll/pumpctl/record_json.h"
#include "enroll/pumpctl/registry.h"
#include "enroll/pumpctl/report.h"
#include "enroll/pumpctl/verbs.h"

#define FOLLOW_US 1000000
#define LINE_MAX_BYTES 8192
#define STATE_MAX_BYTES 64

static int audit_tail_run(const struct call *call)
{
	static const struct column columns[] = {
		{"SEQ", "seq"},	      {"AT", "at"},	{"WHO", "actor"},
		{"ACTION", "action"}, {"ON", "object"}, {"DETAIL", "detail"},
	};
	const struct audit_chain *chain = audit_chain_of(call);
	const struct listing l = {chain->tail, &record_audit_row,   columns, 6,
				  NULL,	       "the audit is empty"};
	struct list_query q = {0};
	unsigned long n;

	if (call_number(call, "number", 20, 1, LISTING_PAGE, &n))
		return report_usage();
	return chain->show(call, &l, &q, n);
}

static const struct option_spec audit_tail_options[] = {
	{"number", 'n', OPTION_VALUE, "N", "so many rows (20; up to 500)", false},
	AUDIT_CHAIN_OPTION,
};

const struct verb verb_audit_tail = {
	.group = "audit",
	.name = "tail",
	.operands = "",
	.summary = "Show the newest rows of the audit, oldest of them first",
	VERB_OPTIONS(audit_tail_options),
	.examples = {"audit tail", "audit tail -n 100", "audit tail --logins --json"},
	.run = audit_tail_run,
};

/* ---- audit export ---- */

enum export_form { EXPORT_JSONL, EXPORT_SYSLOG };

struct export
{
	const struct audit_chain *chain;
	const struct call *call;
	enum export_form form;
	int fd;		   /* a file, or a datagram socket */
	bool is_socket;	   /* then one message each, without a line end */
	const char *state; /* a file, or NULL */
	char host[256];
	uint64_t after;
	uint64_t rows;
};

static int line_build(const struct export *x, const struct audit_row *row, struct buf *out)
{
	AUTO_JSON j = NULL;
	char *text;
	int rc;

	if (x->form == EXPORT_SYSLOG)
		return audit_syslog_put(out, row, x->host);
	j = record_to_json(&record_audit_row, row);
	text = j ? json_dumps(j, JSON_COMPACT) : NULL;
	rc = text ? buf_put_str(out, text) : err_set(ERR_NOMEM, "no memory for a row");
	free(text);
	return rc;
}

static int row_write(struct export *x, const struct audit_row *row)
{
	AUTO_BUF line = {.max = LINE_MAX_BYTES};
	int rc = line_build(x, row, &line);

	if (!rc && x->is_socket) {
		ssize_t n = send(x->fd, line.data, line.len, MSG_NOSIGNAL);

		return n == (ssize_t)line.len ? 0 : err_errno(ERR_UNAVAILABLE, "syslog");
	}
	if (!rc)
		rc = buf_put_u8(&line, '\n');
	if (!rc && fd_write_all(x->fd, line.data, line.len))
		rc = err_errno(ERR_IO, "writing");
	return rc;
}

/* What was written is on the disk before it counts as exported: a repeat is better than a gap. */
static int state_write(const struct export *x)
{
	char text[STATE_MAX_BYTES];

	if (!x->state)
		return 0;
	if (!x->is_socket && fsync(x->fd) && errno != EINVAL && errno != EROFS)
		return err_errno(ERR_IO, "writing");
	snprintf(text, sizeof(text), "%" PRIu64 "\n", x->after);
	return buf_write_file(x->state, 0600, text, strlen(text));
}

static int state_read(const char *path, uint64_t *after)
{
	AUTO_BUF text = {.max = STATE_MAX_BYTES};
	const char *cstr;
	char *end;
	int rc = buf_read_file(&text, path);

	if (rc == ERR_NOT_FOUND)
		return 0;
	cstr = rc ? NULL : buf_cstr(&text);
	if (!cstr)
		return rc ? rc : ERR_NOMEM;
	errno = 0;
	*after = strtoull(cstr, &end, 10);
	if (errno || end == cstr || strcmp(end, "\n") != 0)
		return err_set(ERR_CORRUPT, "%s: not a state of audit export", path);
	return 0;
}

/* All rows behind x->after that there are now. */
static int rows_export(struct export *x, struct ipc_client *c, struct audit_row *rows)
{
	size_t n;

	do {
		int rc = audit_rows(c, x->chain, x->after, rows, LISTING_PAGE, &n);

		for (size_t i = 0; !rc && i < n; i++) {
			rc = row_write(x, &rows[i]);
			if (!rc) {
				x->after = rows[i].seq;
				x->rows++;
			}
		}
		if (n && !rc)
			rc = state_write(x);
		if (rc)
			return rc;
	} while (n == LISTING_PAGE);
	return 0;
}

static int socket_connect(const char *path, int *fd_out)
{
	struct sockaddr_un to = {.sun_family = AF_UNIX};
	int fd, rc = str_copy(to.sun_path, sizeof(to.sun_path), path);

	if (rc)
		return err_add(rc, "%s", path);
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return err_errno(ERR_IO, "socket");
	if (connect(fd, (const struct sockaddr *)&to, sizeof(to))) {
		rc = err_errno(ERR_UNAVAILABLE, "%s", path);
		close(fd);
		return rc;
	}
	*fd_out = fd;
	return 0;
}

static int target_open(struct export *x)
{
	const char *file = call_value(x->call, "output"), *path = call_value(x->call, "socket");

	x->is_socket = path != NULL;
	if (path)
		return socket_connect(path, &x->fd);
	if (!file) {
		x->fd = STDOUT_FILENO;
		return 0;
	}
	x->fd = open(file, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY, 0600);
	return x->fd < 0 ? err_errno(ERR_IO, "%s", file) : 0;
}

static int export_prepare(struct export *x)
{
	const char *form = call_value(x->call, "format"), *after = call_value(x->call, "after");
	unsigned long from;

	if (form && strcmp(form, "jsonl") != 0 && strcmp(form, "syslog") != 0)
		return err_set(ERR_INVALID, "--format is jsonl or syslog, not %.32s", form);
	x->form = form && !strcmp(form, "syslog") ? EXPORT_SYSLOG : EXPORT_JSONL;
	if (call_value(x->call, "output") && call_value(x->call, "socket"))
		return err_set(ERR_INVALID, "--output or --socket, not both");
	x->state = call_value(x->call, "state");
	if (x->state && after)
		return err_set(ERR_INVALID, "--state knows where to go on; leave --after out");
	if (call_number(x->call, "after", 0, 0, UINT32_MAX, &from))
		return ERR_INVALID;
	x->after = from;
	if (gethostname(x->host, sizeof(x->host) - 1))
		x->host[0] = '\0';
	return 0;
}

static int export_all(struct export *x)
{
	AUTO_IPC_CLIENT c = NULL;
	struct audit_row *rows = calloc(LISTING_PAGE, sizeof(*rows));
	int rc = rows ? x->chain->open(x->call, &c) : err_set(ERR_NOMEM, "no memory for rows");

	if (!rc)
		rc = rows_export(x, c, rows);
	while (!rc && call_flag(x->call, "follow")) {
		usleep(FOLLOW_US);
		rc = rows_export(x, c, rows);
	}
	free(rows);
	return rc;
}

static int audit_export_run(const struct call *call)
{
	struct export x = {.call = call, .chain = audit_chain_of(call), .fd = -1};
	int rc;

	if (export_prepare(&x))
		return report_usage();
	rc = x.state ? state_read(x.state, &x.after) : 0;
	if (!rc)
		rc = target_open(&x);
	if (!rc)
		rc = export_all(&x);
	if (x.fd > STDERR_FILENO && close(x.fd) && !rc)
		rc = err_errno(ERR_IO, "writing");
	if (rc)
		return x.chain->failure(call, rc);
	return x.rows ? EXIT_DONE : EXIT_NOTHING;
}

static const struct option_spec audit_export_options[] = {
	{"format", 0, OPTION_VALUE, "F", "jsonl (one object per line) or syslog (RFC 5424)", false},
	{"output", 'o', OPTION_VALUE, "FILE", "append to FILE instead of standard output", false},
	{"socket", 0, OPTION_VALUE, "PATH", "send to a Unix datagram socket, such as /dev/log",
	 false},
	{"after", 0, OPTION_VALUE, "SEQ", "rows behind row SEQ (0: from the first)", false},
	{"state", 0, OPTION_VALUE, "FILE", "go on where FILE says, and keep it up to date", false},
	{"follow", 0, OPTION_FLAG, NULL, "then wait for new rows, until it is stopped", false},
	AUDIT_CHAIN_OPTION,
};

const struct verb verb_audit_export = {
	.group = "audit",
	.name = "export",
	.operands = "",
	.summary = "Hand the audit's rows to other systems",
	VERB_OPTIONS(audit_export_options),
	.examples = {"audit export", "audit export --format syslog --output /tmp/audit.log",
		     "audit export --output /tmp/audit.jsonl --state /tmp/audit.state"},
	.run = audit_export_run,
};
