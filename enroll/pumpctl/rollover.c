/* SPDX-License-Identifier: BSD-2-Clause */
/* Owns what a roll-over of a CA does here. Never sees a CA's key: signerd moves those. */
#include "enroll/pumpctl/rollover.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include "base/daemon.h"
#include "enroll/pumpctl/report.h"
#include "enroll/pumpctl/server_keys.h"
#include "enroll/pumpctl/server_restart.h"
#include "enroll/pumpctl/signer_command.h"

#define SAID_MAX 32768
#define PEM_BEGIN "-----BEGIN CERTIFICATE-----"

void rollover_state_done(struct rollover_state *st)
{
	for (size_t i = 0; i < st->n; i++)
		X509_free(st->certs[i]);
	st->n = 0;
}

/* The certificates that a state comes with. */
static size_t certs_of(const struct rollover_state *st)
{
	return !strcmp(st->name, "idle") ? 2 : st->of_root ? ROLLOVER_CERTS_MAX : 3;
}

static int state_parse(const char *text, struct rollover_state *out)
{
	static const struct {
		const char *line, *name;
		bool of_root;
	} states[] = {{"idle\n", "idle", false},	   {"started\n", "started", false},
		      {"switched\n", "switched", false},   {"retired\n", "retired", false},
		      {"started root\n", "started", true}, {"switched root\n", "switched", true}};
	const char *pem = strstr(text, PEM_BEGIN);
	BIO *bio = pem ? BIO_new_mem_buf(pem, -1) : NULL;
	struct rollover_state st = {.n = 0};
	X509 *cert;

	for (size_t i = 0; i < sizeof(states) / sizeof(states[0]); i++)
		if (!strncmp(text, states[i].line, strlen(states[i].line))) {
			snprintf(st.name, sizeof(st.name), "%s", states[i].name);
			st.of_root = states[i].of_root;
		}
	while (bio && st.n < ROLLOVER_CERTS_MAX &&
	       (cert = PEM_read_bio_X509(bio, NULL, NULL, NULL)))
		st.certs[st.n++] = cert;
	BIO_free(bio);
	ERR_clear_error();
	if (!*st.name || st.n != certs_of(&st)) {
		rollover_state_done(&st);
		return err_set(ERR_IO, "pumpgate-signerd said: %.200s", text);
	}
	*out = st;
	return 0;
}

int rollover_step(const struct settings *s, const struct rollover_order *o,
		  struct rollover_state *out)
{
	static const char prefix[] = "pumpgate-signerd rollover: ";
	const char *args[7] = {"rollover", o->step, o->what};
	size_t n = 3;
	AUTO_BUF said = {.max = SAID_MAX};
	const char *text;
	int status;
	int rc;

	if (o->uri) {
		args[n++] = "--pkcs11";
		args[n++] = o->uri;
	}
	if (o->new_root)
		args[n++] = "--new-root";
	rc = signer_command(s->home, args, &said, &status);
	if (rc)
		return rc;
	text = buf_cstr(&said);
	if (!text)
		return err_set(ERR_NOMEM, "no memory for what signerd said");
	if (status != EXIT_DONE && status != EXIT_NOTHING) {
		text += strncmp(text, prefix, sizeof(prefix) - 1) ? 0 : sizeof(prefix) - 1;
		return err_set(status == EXIT_TRY_AGAIN ? ERR_BUSY : ERR_CONFLICT, "%.*s",
			       (int)strcspn(text, "\n"), text);
	}
	rc = state_parse(text, out);
	return rc ? rc : status == EXIT_NOTHING ? err_set(ERR_UNCHANGED, "already so") : 0;
}

int rollover_sha256(X509 *cert, char out[65])
{
	uint8_t md[32];
	unsigned len = sizeof(md);

	if (X509_digest(cert, EVP_sha256(), md, &len) != 1) {
		ERR_clear_error();
		return err_set(ERR_CRYPTO, "SHA-256 of a certificate");
	}
	hex_encode(md, sizeof(md), out, 65);
	return 0;
}

int rollover_issuer_name(X509 *ca, char *out, size_t size)
{
	char *name = X509_NAME_oneline(X509_get_subject_name(ca), NULL, 0);
	int rc = name ? str_copy(out, size, name) : err_set(ERR_NOMEM, "no memory for a name");

	OPENSSL_free(name);
	return rc;
}

static int pem_put(struct buf *b, X509 *cert)
{
	BIO *bio = BIO_new(BIO_s_mem());
	char *data;
	long len;
	int rc;

	if (!bio || !PEM_write_bio_X509(bio, cert)) {
		BIO_free(bio);
		ERR_clear_error();
		return err_set(ERR_CRYPTO, "a certificate in PEM");
	}
	len = BIO_get_mem_data(bio, &data);
	rc = buf_put(b, data, (size_t)len);
	BIO_free(bio);
	return rc;
}

static bool is_of_pumps(const char *what)
{
	return !strcmp(what, "device");
}

static int trust_path(const struct settings *s, const char *what, char out[PATH_MAX])
{
	return home_path(s->home, is_of_pumps(what) ? "trust/device.pem" : "trust/server.pem", out);
}

/* In which order they stand there. Of the pumps' CAs the older comes first, before a switch and
 * after it; one that is retired is not there. */
static size_t trust_order(const char *what, const struct rollover_state *st, size_t out[])
{
	bool pumps = is_of_pumps(what);
	size_t n = pumps && !strcmp(st->name, "retired") ? 2 : st->n;

	for (size_t i = 0; i < n; i++)
		out[i] = i;
	if (pumps && !strcmp(st->name, "switched")) {
		out[1] = 2;
		out[2] = 1;
	}
	return n;
}

int rollover_trust_write(const struct settings *s, const char *what,
			 const struct rollover_state *st)
{
	size_t order[ROLLOVER_CERTS_MAX];
	size_t n = trust_order(what, st, order);
	AUTO_BUF want = {.max = SAID_MAX};
	AUTO_BUF there = {.max = SAID_MAX};
	char path[PATH_MAX];
	int rc = trust_path(s, what, path);

	for (size_t i = 0; !rc && i < n; i++)
		rc = pem_put(&want, st->certs[order[i]]);
	if (!rc)
		rc = buf_read_file(&there, path);
	if (rc)
		return rc;
	if (there.len == want.len && !memcmp(there.data, want.data, want.len))
		return 0;
	return buf_write_file(path, 0644, want.data, want.len);
}

/* ---- servers ---- */

struct change {
	const struct settings *s;
	rollover_told told;
	void *ctx;
	bool done;
};

static int server_find(const struct settings *s, const char *folder, struct server_cert *out)
{
	struct server_cert certs[SERVER_CERTS_MAX];
	size_t n = 0;
	int rc = server_keys_look(s, certs, &n);

	for (size_t i = 0; !rc && i < n; i++) {
		if (strcmp(certs[i].folder, folder))
			continue;
		*out = certs[i];
		return 0;
	}
	return rc ? rc : err_set(ERR_NOT_FOUND, "there is no server %s", folder);
}

/* A fresh pair, unless one waits for its server; then the server starts with it. */
static int server_change(struct change *ch, const struct server_cert *c, bool fresh)
{
	enum restart_result restart;
	struct key_pair pair;
	char folder[PATH_MAX];
	int64_t away_ms;
	int rc = server_keys_pair(ch->s, c->process, folder, &pair);

	if (!rc)
		rc = key_pair_adopt(&pair);
	if (!rc && fresh)
		rc = server_keys_renew(ch->s, c);
	if (!rc)
		rc = server_restart(ch->s, c, &restart, &away_ms);
	if (rc)
		return rc;
	ch->done = true;
	ch->told(ch->ctx, c->folder,
		 restart == RESTART_DONE ? "started again" : "not running: from its next start on",
		 restart == RESTART_DONE ? away_ms : 0);
	return 0;
}

/* The pair in force was put there before the trust file was last changed. */
static int is_behind_trust(const struct settings *s, const char *what, const char *folder,
			   bool *out)
{
	char rel[64], pair[PATH_MAX], trust[PATH_MAX];
	struct stat a, b;
	int rc;

	snprintf(rel, sizeof(rel), "%s/pair", folder);
	rc = home_path(s->home, rel, pair);
	if (!rc)
		rc = trust_path(s, what, trust);
	if (rc)
		return rc;
	if (lstat(pair, &a) || stat(trust, &b)) {
		*out = true;
		return 0;
	}
	*out = a.st_mtim.tv_sec < b.st_mtim.tv_sec ||
	       (a.st_mtim.tv_sec == b.st_mtim.tv_sec && a.st_mtim.tv_nsec <= b.st_mtim.tv_nsec);
	return 0;
}

/* Who reads the trust file: the i-th, or NULL at their end. */
static const char *believer(const char *what, size_t i)
{
	static const char *const folders[ROLLOVER_BELIEVERS] = {"est", "radius", "clinicians"};

	return i < (is_of_pumps(what) ? ROLLOVER_BELIEVERS : 1) ? folders[i] : NULL;
}

/* Must it start again; must it have a fresh pair for that? */
static int believer_look(const struct settings *s, const char *what, const char *folder,
			 struct server_cert *out, bool *fresh, bool *due)
{
	int rc = server_find(s, folder, out);

	if (!rc)
		rc = is_behind_trust(s, what, folder, fresh);
	*due = !rc && (*fresh || out->state == SERVER_UNSETTLED);
	return rc;
}

int rollover_publish(const struct settings *s, const char *what, rollover_told told, void *ctx,
		     bool *done_out)
{
	struct change ch = {.s = s, .told = told, .ctx = ctx};
	struct server_cert cert;
	bool fresh = false, due;
	const char *folder;
	int rc = 0;

	for (size_t i = 0; !rc && (folder = believer(what, i)); i++) {
		rc = believer_look(s, what, folder, &cert, &fresh, &due);
		if (due)
			rc = server_change(&ch, &cert, fresh);
	}
	*done_out = *done_out || ch.done;
	return rc;
}

int rollover_behind(const struct settings *s, const char *what, const char *out[ROLLOVER_BELIEVERS],
		    size_t *n_out)
{
	struct server_cert cert;
	bool fresh = false, due;
	const char *folder;
	int rc = 0;

	*n_out = 0;
	for (size_t i = 0; !rc && (folder = believer(what, i)); i++) {
		rc = believer_look(s, what, folder, &cert, &fresh, &due);
		if (due)
			out[(*n_out)++] = folder;
	}
	return rc;
}

/* While pumps may know the old root alone: leaf, issuing CA, new with old. Else the leaf, since
 * pumps hold what is above it. */
static size_t chain_wanted(const struct rollover_state *st)
{
	return st->of_root && !strcmp(st->name, "switched") ? 3 : 1;
}

/* Whether the server's certificate in force is of the CA in use, and comes with what has to come
 * with it; without one: not. */
static bool is_as_wanted(const struct settings *s, const struct server_cert *c,
			 const struct rollover_state *st)
{
	AUTO_BUF pem = {.max = SAID_MAX};
	X509 *ca = st->certs[ROLLOVER_CA];
	char rel[64], path[PATH_MAX];
	X509 *cert = NULL, *more;
	BIO *bio = NULL;
	size_t n = 1;
	bool of;

	snprintf(rel, sizeof(rel), "%s/cert.pem", c->folder);
	if (!home_path(s->home, rel, path) && !buf_read_file(&pem, path))
		bio = BIO_new_mem_buf(pem.data, (int)pem.len);
	if (bio)
		cert = PEM_read_bio_X509(bio, NULL, NULL, NULL);
	while (cert && (more = PEM_read_bio_X509(bio, NULL, NULL, NULL))) {
		X509_free(more);
		n++;
	}
	of = cert && X509_check_issued(ca, cert) == X509_V_OK &&
	     X509_verify(cert, X509_get0_pubkey(ca)) == 1 && n == chain_wanted(st);
	ERR_clear_error();
	X509_free(cert);
	BIO_free(bio);
	return of;
}

int rollover_servers(const struct settings *s, const struct rollover_state *st, rollover_told told,
		     void *ctx, bool *done_out)
{
	struct change ch = {.s = s, .told = told, .ctx = ctx};
	struct server_cert certs[SERVER_CERTS_MAX];
	size_t n = 0;
	int rc = server_keys_look(s, certs, &n);

	for (size_t i = 0; !rc && i < n; i++) {
		bool fresh = !is_as_wanted(s, &certs[i], st);

		if (fresh || certs[i].state == SERVER_UNSETTLED)
			rc = server_change(&ch, &certs[i], fresh);
	}
	*done_out = *done_out || ch.done;
	return rc;
}

int rollover_servers_left(const struct settings *s, const struct rollover_state *st,
			  unsigned *n_out)
{
	struct server_cert certs[SERVER_CERTS_MAX];
	size_t n = 0;
	int rc = server_keys_look(s, certs, &n);

	*n_out = 0;
	for (size_t i = 0; !rc && i < n; i++)
		*n_out += !is_as_wanted(s, &certs[i], st) || certs[i].state == SERVER_UNSETTLED;
	return rc;
}
