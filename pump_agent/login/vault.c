/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Owns the files of the offline store, and finding out that they are old. Never believes a file
 * that this pump's key did not seal.
 */
#include "pump_agent/login/vault.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <sodium.h>

#include "base/secret.h"

#define NONCE crypto_aead_xchacha20poly1305_ietf_NPUBBYTES
#define TAG crypto_aead_xchacha20poly1305_ietf_ABYTES
#define SEALED_MAX (VAULT_PLAIN_MAX + 64)

/* ---- sealing: nonce, then ciphertext with its tag; bound to what it is and whose ---- */

static size_t bound_to(const struct vault *v, const char *what, char out[128])
{
	int n = snprintf(out, 128, "pumpgate %s 1 of %s", what, v->offline.head.pump);

	return (size_t)n;
}

static int seal(const struct vault *v, const char *what, const void *plain, size_t len,
		struct buf *out)
{
	char bound[128];
	size_t n = bound_to(v, what, bound);
	uint8_t nonce[NONCE];
	uint8_t *at;
	int rc;

	secret_fill_random(nonce, sizeof(nonce));
	rc = buf_put(out, nonce, sizeof(nonce));
	rc = rc ? rc : buf_reserve(out, len + TAG, &at);
	if (!rc)
		crypto_aead_xchacha20poly1305_ietf_encrypt(
			at, NULL, plain, len, (const uint8_t *)bound, n, NULL, nonce, v->key);
	return rc;
}

static int unseal(const struct vault *v, const char *what, const struct buf *sealed,
		  struct buf *out)
{
	char bound[128];
	size_t n = bound_to(v, what, bound);
	uint8_t *at;
	int rc;

	if (sealed->len < NONCE + TAG)
		return err_set(ERR_CORRUPT, "%s: cut short", what);
	rc = buf_reserve(out, sealed->len - NONCE - TAG, &at);
	if (rc)
		return rc;
	if (crypto_aead_xchacha20poly1305_ietf_decrypt(at, NULL, NULL, sealed->data + NONCE,
						       sealed->len - NONCE, (const uint8_t *)bound,
						       n, sealed->data, v->key))
		return err_set(ERR_CORRUPT, "%s: not sealed by this pump", what);
	return 0;
}

static int file_write(const struct vault *v, const char *path, const char *what, const void *plain,
		      size_t len)
{
	AUTO_BUF sealed = {.max = SEALED_MAX};
	int rc = seal(v, what, plain, len, &sealed);

	return rc ? rc : buf_write_file(path, 0600, sealed.data, sealed.len);
}

static int file_read(const struct vault *v, const char *path, const char *what, struct buf *out)
{
	AUTO_BUF sealed = {.max = SEALED_MAX};
	int rc = buf_read_file(&sealed, path);

	return rc ? rc : unseal(v, what, &sealed, out);
}

/* ---- keeping ---- */

static int mark_write(struct vault *v)
{
	AUTO_BUF plain = {.max = 16};
	int rc = buf_put_u64(&plain, v->offline.head.generation);

	rc = rc ? rc : file_write(v, v->mark_path, "mark", plain.data, plain.len);
	if (!rc)
		v->marked = v->offline.head.generation;
	return rc;
}

/* The store first: a mark that is one behind it is what a pulled plug leaves. */
int vault_keep(struct vault *v)
{
	AUTO_BUF plain = {.max = VAULT_PLAIN_MAX};
	struct offline_head *h = &v->offline.head;
	int rc;

	/* one beyond the mark, however often it could not be kept */
	h->generation = h->generation > v->marked + 1 ? h->generation : v->marked + 1;
	rc = vault_build(&v->offline, &plain);
	rc = rc ? rc : file_write(v, v->store_path, "store", plain.data, plain.len);
	return rc ? rc : mark_write(v);
}

static int mark_read(struct vault *v, uint64_t *out)
{
	AUTO_BUF plain = {.max = 16};
	struct cursor c;
	int rc = file_read(v, v->mark_path, "mark", &plain);

	c = cursor_of(plain.data, plain.len);
	return rc ? rc : cursor_u64(&c, out);
}

static int store_load(struct vault *v, const char *pump)
{
	AUTO_BUF plain = {.max = VAULT_PLAIN_MAX};
	int rc = file_read(v, v->store_path, "store", &plain);

	rc = rc ? rc : vault_parse(plain.data, plain.len, &v->offline);
	return rc ? rc : offline_check(&v->offline, pump);
}

/* What is wrong with what was found; NULL: nothing. `v` then holds it, or is as new. */
static const char *look(struct vault *v, const char *pump)
{
	uint64_t mark = 0;
	int store_rc = store_load(v, pump);
	int mark_rc;

	if (store_rc)
		offline_init(&v->offline, pump);
	mark_rc = mark_read(v, &mark);
	if (!mark_rc)
		v->marked = mark;
	v->is_new = store_rc == ERR_NOT_FOUND && mark_rc == ERR_NOT_FOUND;
	if (v->is_new)
		return NULL;
	if (store_rc)
		return store_rc == ERR_NOT_FOUND ? "store is gone" : "store cannot be read";
	if (mark_rc && mark_rc != ERR_NOT_FOUND)
		return "mark cannot be read";
	if (v->offline.head.generation < mark)
		return "store is an old copy";
	return v->offline.head.generation > mark + 1 ? "mark is an old copy" : NULL;
}

static int key_load(struct vault *v, const struct store *store)
{
	AUTO_BUF key = {.max = PIN_KEY_BYTES};
	char path[PATH_MAX];
	int rc = store_path(store, "login", path);

	if (!rc && mkdir(path, 0700) && errno != EEXIST)
		rc = err_errno(ERR_IO, "%s", path);
	rc = rc ? rc : store_path(store, "login/store", v->store_path);
	rc = rc ? rc : store_path(store, "login/mark", v->mark_path);
	rc = rc ? rc : store_path(store, "login/tpm-key", v->tpm_key_path);
	rc = rc ? rc : store_path(store, "login/key", path);
	rc = rc ? rc : buf_read_file(&key, path);
	if (!rc && key.len == PIN_KEY_BYTES) {
		memcpy(v->key, key.data, PIN_KEY_BYTES);
		return 0;
	}
	if (rc && rc != ERR_NOT_FOUND && rc != ERR_LIMIT)
		return rc;
	secret_fill_random(v->key, sizeof(v->key)); /* what another key sealed is found odd */
	return buf_write_file(path, 0600, v->key, sizeof(v->key));
}

int vault_open(const struct store *store, const char *pump, const struct age_now *now,
	       struct vault **out, const char **noticed_out)
{
	struct vault *v = calloc(1, sizeof(*v));
	int rc = v ? key_load(v, store) : err_set(ERR_NOMEM, "no memory for the offline store");

	*noticed_out = NULL;
	if (!rc) {
		offline_init(&v->offline, pump);
		*noticed_out = look(v, pump);
		if (*noticed_out)
			offline_roll_back(&v->offline, now, "pump");
		if (*noticed_out || offline_tick(&v->offline, now))
			rc = vault_keep(v);
	}
	if (rc) {
		vault_close(v);
		return err_add(rc, "offline store");
	}
	*out = v;
	return 0;
}

void vault_close(struct vault *v)
{
	if (!v)
		return;
	secret_wipe(v, sizeof(*v));
	free(v);
}
