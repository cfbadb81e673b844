/* SPDX-License-Identifier: BSD-2-Clause */
/* Owns the file with the last list's number. Never lets it go back. */
#include "ca/crl_state.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/buf.h"

#define LINE_MAX_BYTES 64

int crl_state_read(const char *path, struct crl_state *out)
{
	AUTO_BUF b = {.max = LINE_MAX_BYTES};
	struct crl_state s = {0};
	char end;
	int rc = buf_read_file(&b, path);

	if (rc == ERR_NOT_FOUND) {
		*out = s;
		return 0;
	}
	if (rc)
		return rc;
	if (!b.len ||
	    sscanf(buf_cstr(&b), "v1 %" SCNu64 " %" SCNd64 "%c", &s.number, &s.this_update_ms,
		   &end) != 3 ||
	    end != '\n' || s.this_update_ms < 0)
		return err_set(ERR_CORRUPT, "%s: not the number of a revocation list", path);
	*out = s;
	return 0;
}

int crl_state_next(const char *path, int64_t now_ms, struct crl_state *s)
{
	struct crl_state next = {s->number + 1, now_ms};
	char line[LINE_MAX_BYTES];
	int n, rc;

	if (now_ms > 0 && next.number < (uint64_t)now_ms)
		next.number = (uint64_t)now_ms;
	n = snprintf(line, sizeof(line), "v1 %" PRIu64 " %" PRId64 "\n", next.number,
		     next.this_update_ms);
	rc = buf_write_file(path, 0600, line, (size_t)n);
	if (!rc)
		*s = next;
	return rc;
}
