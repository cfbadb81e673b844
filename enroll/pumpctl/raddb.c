/* SPDX-License-Identifier: BSD-2-Clause */
/* Owns the rendering of templates. Never knows what FreeRADIUS makes of them. */
#include "enroll/pumpctl/raddb.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/daemon.h"
#include "enroll/pumpctl/layout.h"
#include "enroll/pumpctl/spawn.h"

#define TEMPLATE_MAX (256 * 1024)
#define DEPTH_MAX 4

struct render {
	const struct settings *s;
	enum process owner;
	struct raddb_word words[16];
	size_t n_words;
	bool *changed;
	bool seen;
};

static size_t word_len(const char *at, size_t left)
{
	size_t n = 1;

	while (n < left && ((at[n] >= 'A' && at[n] <= 'Z') || at[n] == '_'))
		n++;
	return n > 1 && n < left && at[n] == '@' ? n + 1 : 0;
}

static int word_put(const char *name, size_t len, const struct raddb_word *words, size_t n,
		    struct buf *out)
{
	for (size_t i = 0; i < n; i++)
		if (strlen(words[i].name) == len && !memcmp(words[i].name, name, len))
			return buf_put_str(out, words[i].value);
	return err_set(ERR_INVALID, "template asks for @%.*s@, which is unknown",
		       (int)(len < 32 ? len : 32), name);
}

int raddb_fill(const char *in, size_t len, const struct raddb_word *words, size_t n,
	       struct buf *out)
{
	size_t i = 0;

	while (i < len) {
		const char *at = memchr(in + i, '@', len - i);
		size_t plain = at ? (size_t)(at - in) - i : len - i;
		size_t word = at ? word_len(at, len - i - plain) : 0;
		int rc = buf_put(out, in + i, plain + (at && !word));

		if (!rc && word)
			rc = word_put(at + 1, word - 2, words, n, out);
		if (rc)
			return rc;
		i += plain + (word ? word : at != NULL);
	}
	return 0;
}

static bool same_content(const char *path, const struct buf *want)
{
	AUTO_BUF have = {.max = TEMPLATE_MAX * 2};

	return !buf_read_file(&have, path) && have.len == want->len &&
	       !memcmp(have.data, want->data, want->len);
}

static int file_render(struct render *r, const char *from, const char *rel)
{
	AUTO_BUF in = {.max = TEMPLATE_MAX};
	AUTO_BUF out = {.max = TEMPLATE_MAX * 2};
	char to[PATH_MAX];
	int rc = buf_read_file(&in, from);

	if (rc || (rc = raddb_fill((const char *)in.data, in.len, r->words, r->n_words, &out)))
		return err_add(rc, "%s", from);
	rc = home_path(r->s->home, rel, to);
	if (rc)
		return rc;
	r->seen = true;
	if (!same_content(to, &out)) {
		rc = buf_write_file(to, 0600, out.data, out.len);
		if (rc)
			return rc;
		*r->changed = true;
	}
	return layout_give_file(r->s, rel, (int)r->owner);
}

static int folder_make(struct render *r, const char *rel)
{
	struct owner o;
	char to[PATH_MAX];
	int rc = home_path(r->s->home, rel, to);

	if (rc || (rc = settings_owner(r->s, r->owner, &o)))
		return rc;
	if (mkdir(to, 0700) == 0)
		*r->changed = true;
	else if (errno != EEXIST)
		return err_errno(ERR_IO, "%s", to);
	if (geteuid() == 0 && lchown(to, o.uid, o.gid))
		return err_errno(ERR_IO, "%s", to);
	return 0;
}

static int tree_render(struct render *r, const char *from, const char *rel, int depth);

static int entry_render(struct render *r, const char *from, const char *rel, const char *name,
			int depth)
{
	char below[PATH_MAX], below_rel[PATH_MAX];
	struct stat st;

	if (snprintf(below, PATH_MAX, "%s/%s", from, name) >= PATH_MAX ||
	    snprintf(below_rel, PATH_MAX, "%s/%s", rel, name) >= PATH_MAX)
		return err_set(ERR_LIMIT, "%s: path too long", from);
	if (stat(below, &st))
		return err_errno(ERR_IO, "%s", below);
	if (S_ISREG(st.st_mode))
		return file_render(r, below, below_rel);
	if (S_ISDIR(st.st_mode) && depth < DEPTH_MAX)
		return tree_render(r, below, below_rel, depth + 1);
	return err_set(ERR_IO, "%s: neither file nor folder", below);
}

static int tree_render(struct render *r, const char *from, const char *rel, int depth)
{
	DIR *dir = opendir(from);
	struct dirent *e;
	int rc = 0;

	if (!dir)
		return err_errno(errno == ENOENT ? ERR_NOT_FOUND : ERR_IO, "%s", from);
	if (depth)
		rc = folder_make(r, rel);
	while (!rc && (e = readdir(dir)))
		if (e->d_name[0] != '.')
			rc = entry_render(r, from, rel, e->d_name, depth);
	closedir(dir);
	return rc;
}

bool raddb_path_is_plain(const char *path)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				    "0123456789/._+-";

	return path[strspn(path, plain)] == '\0';
}

/* The templates share/pumpgate/NAME into HOME/rel. */
static int instance_render(struct render *r, const char *folder, const char *name, const char *rel)
{
	char from[PATH_MAX];
	int rc;

	if (snprintf(from, sizeof(from), "%s/../share/pumpgate/%s", folder, name) >= PATH_MAX)
		return err_set(ERR_LIMIT, "%s: path too long", folder);
	r->seen = false;
	rc = tree_render(r, from, rel, 0);
	if (!rc && !r->seen)
		rc = err_set(ERR_NOT_FOUND, "%s is empty", from);
	return rc == ERR_NOT_FOUND
		       ? err_add(rc, "FreeRADIUS's configuration is not installed beside pumpctl")
		       : rc;
}

int raddb_render(const struct settings *s, bool *changed)
{
	char folder[PATH_MAX], libdir[PATH_MAX], auth[8], acct[8], login[8], late[16];
	char socket_path[PATH_MAX], cred_path[PATH_MAX], inner_auth[8], inner_acct[8];
	struct render r = {.s = s, .owner = PROCESS_RADIUSD, .changed = changed};
	int rc = program_folder(folder);

	if (rc || (rc = home_path(s->home, "run/registry/sock", socket_path)) ||
	    (rc = home_path(s->home, "run/cred/sock", cred_path)))
		return rc;
	if (snprintf(libdir, sizeof(libdir), "%s/../lib/pumpgate", folder) >= PATH_MAX)
		return err_set(ERR_LIMIT, "%s: path too long", folder);
	if (!raddb_path_is_plain(libdir))
		return err_set(ERR_INVALID,
			       "%s: FreeRADIUS takes only letters, digits and /._+- in paths; "
			       "install Pumpgate elsewhere",
			       folder);
	snprintf(auth, sizeof(auth), "%u", s->radius_auth_port);
	snprintf(acct, sizeof(acct), "%u", s->radius_acct_port);
	snprintf(login, sizeof(login), "%u", s->login_port);
	snprintf(late, sizeof(late), "%u", s->late_max_s);
	snprintf(inner_auth, sizeof(inner_auth), "%u", s->radsec_inner_port);
	snprintf(inner_acct, sizeof(inner_acct), "%u", s->radsec_inner_port + 1);
	memcpy(r.words,
	       (const struct raddb_word[]){{"HOME", s->home},
					   {"LIBDIR", libdir},
					   {"RADIUS_ADDRESS", s->radius_address},
					   {"RADIUS_NAME", s->radius_name},
					   {"AUTH_PORT", auth},
					   {"ACCT_PORT", acct},
					   {"RADSEC_AUTH_PORT", inner_auth},
					   {"RADSEC_ACCT_PORT", inner_acct},
					   {"REGISTRY_SOCKET", socket_path},
					   {"CRED_SOCKET", cred_path},
					   {"LOGIN_ADDRESS", s->est_address},
					   {"LOGIN_PORT", login},
					   {"LATE_MAX", late}},
	       13 * sizeof(r.words[0]));
	r.n_words = 13;
	rc = instance_render(&r, folder, "raddb", "radius/raddb");
	r.owner = PROCESS_CLINICIANS;
	return rc ? rc : instance_render(&r, folder, "raddb-clinicians", "clinicians/raddb");
}
