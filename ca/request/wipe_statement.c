/* SPDX-License-Identifier: BSD-2-Clause */
/* Owns the wipe statement's text and envelope. Never reads a file or a clock. */
#include "ca/request/wipe_statement.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"

static const char TITLE[] = "Pumpgate wipe statement, version 1";
static const char AFTER[] = "key, certificate and network block";

bool wipe_order_is_valid(const char *order)
{
	return strlen(order) == WIPE_ORDER_SIZE - 1 &&
	       strspn(order, "0123456789abcdef") == WIPE_ORDER_SIZE - 1;
}

static bool is_key_word(const char *key)
{
	return !strcmp(key, "software") || !strcmp(key, "tpm");
}

static int values_check(const struct wipe_statement *s)
{
	size_t hex = strspn(s->certificate, "0123456789abcdef");

	if (!device_name_is_valid(s->device) || !wipe_order_is_valid(s->order) || !hex ||
	    s->certificate[hex] || !is_key_word(s->key) || s->at_ms <= 0)
		return err_set(ERR_INVALID, "wipe statement: a value is out of its bounds");
	for (const char *c = s->wiped; *c; c++)
		if (!strchr("abcdefghijklmnopqrstuvwxyz-, ", *c))
			return err_set(ERR_INVALID, "wipe statement: what was wiped is no list");
	return 0;
}

int wipe_text_build(const struct wipe_statement *s, struct buf *out)
{
	char at[CLOCK_TEXT_MAX];
	int rc = values_check(s);

	if (rc)
		return rc;
	clock_format(s->at_ms, at);
	return buf_printf(out,
			  "%s\npump: %s\norder: %s\ncertificate: %s\nkey: %s\ntime: %s\n"
			  "wiped: %s\ndestroyed after signing: %s\n",
			  TITLE, s->device, s->order, s->certificate, s->key, at, s->wiped, AFTER);
}

/* Cuts one line off; it must begin with `name`, what follows goes to out. */
static int line_take(struct cursor *c, const char *name, char *out, size_t size)
{
	const uint8_t *end = memchr(c->at, '\n', c->left);
	size_t skip = strlen(name), len = end ? (size_t)(end - c->at) : 0;

	if (!end || len < skip || memcmp(c->at, name, skip) || len - skip >= size ||
	    memchr(c->at, '\0', len))
		return err_set(ERR_INVALID, "wipe statement: no line \"%s\"", name);
	memcpy(out, c->at + skip, len - skip);
	out[len - skip] = '\0';
	c->left -= len + 1;
	c->at = end + 1;
	return 0;
}

/* As clock_format writes it. */
static int time_take(const char *text, int64_t *ms_out)
{
	struct tm t = {0};
	const char *rest = strptime(text, "%Y-%m-%dT%H:%M:%S", &t);
	unsigned ms;
	char end;

	if (!rest || sscanf(rest, ".%3u%c", &ms, &end) != 2 || end != 'Z')
		return err_set(ERR_INVALID, "wipe statement: no time");
	*ms_out = (int64_t)timegm(&t) * 1000 + ms;
	return 0;
}

int wipe_text_parse(const void *text, size_t len, struct wipe_statement *out)
{
	struct cursor c = cursor_of(text, len);
	AUTO_BUF again = {.max = WIPE_TEXT_MAX};
	struct wipe_statement s = {0};
	char at[CLOCK_TEXT_MAX], none[1];
	char after[sizeof(AFTER)];
	int rc;

	if (len > WIPE_TEXT_MAX)
		return err_set(ERR_INVALID, "wipe statement: too long");
	if ((rc = line_take(&c, TITLE, none, sizeof(none))) ||
	    (rc = line_take(&c, "pump: ", s.device, sizeof(s.device))) ||
	    (rc = line_take(&c, "order: ", s.order, sizeof(s.order))) ||
	    (rc = line_take(&c, "certificate: ", s.certificate, sizeof(s.certificate))) ||
	    (rc = line_take(&c, "key: ", s.key, sizeof(s.key))) ||
	    (rc = line_take(&c, "time: ", at, sizeof(at))) ||
	    (rc = line_take(&c, "wiped: ", s.wiped, sizeof(s.wiped))) ||
	    (rc = line_take(&c, "destroyed after signing: ", after, sizeof(after))) ||
	    (rc = time_take(at, &s.at_ms)))
		return rc;
	/* one form only: what it says is what a person would read in it */
	rc = wipe_text_build(&s, &again);
	if (!rc && (again.len != len || memcmp(again.data, text, len)))
		rc = err_set(ERR_INVALID, "wipe statement: not in its one form");
	if (!rc)
		*out = s;
	return rc;
}

int wipe_text_sign(EVP_PKEY *key, const struct buf *text, struct buf *signature_out)
{
	AUTO_MD_CTX ctx = EVP_MD_CTX_new();
	size_t len;
	uint8_t *at;
	int rc;

	if (!ctx || EVP_DigestSignInit(ctx, NULL, EVP_sha256(), NULL, key) != 1 ||
	    EVP_DigestSign(ctx, NULL, &len, text->data, text->len) != 1)
		return err_ossl(ERR_CRYPTO, "signing the wipe statement");
	rc = buf_reserve(signature_out, len, &at);
	if (rc)
		return rc;
	if (EVP_DigestSign(ctx, at, &len, text->data, text->len) != 1)
		return err_ossl(ERR_CRYPTO, "signing the wipe statement");
	signature_out->len = len; /* ECDSA's may be shorter than announced */
	return 0;
}

int wipe_text_verify(EVP_PKEY *key, const void *text, size_t len, const void *signature,
		     size_t signature_len)
{
	AUTO_MD_CTX ctx = EVP_MD_CTX_new();

	if (!ctx || EVP_DigestVerifyInit(ctx, NULL, EVP_sha256(), NULL, key) != 1)
		return err_ossl(ERR_CRYPTO, "wipe statement");
	if (EVP_DigestVerify(ctx, signature, signature_len, text, len) != 1)
		return err_ossl(ERR_DENIED, "wipe statement: the signature is not the pump's");
	return 0;
}

static int base64_put(const void *data, size_t len, struct buf *out)
{
	uint8_t *at;
	int rc = buf_reserve(out, (len + 2) / 3 * 4 + 1, &at); /* and its NUL */

	if (rc)
		return rc;
	EVP_EncodeBlock(at, data, (int)len);
	out->len--;
	return buf_put(out, "\n", 1);
}

int wipe_envelope_build(const struct buf *text, const struct buf *signature, X509 *cert,
			struct buf *out)
{
	AUTO_BUF der = {.max = WIPE_CERT_MAX};
	int rc = ossl_cert_put(&der, cert);

	rc = rc ? rc : base64_put(signature->data, signature->len, out);
	rc = rc ? rc : base64_put(der.data, der.len, out);
	return rc ? rc : buf_put(out, text->data, text->len);
}

/* A line of base64 with whole groups of four. */
static int base64_take(struct cursor *c, uint8_t *out, size_t max, size_t *len_out)
{
	const uint8_t *end = memchr(c->at, '\n', c->left);
	size_t len = end ? (size_t)(end - c->at) : 0;
	int n;

	if (!len || len % 4 || len / 4 * 3 > max)
		return err_set(ERR_INVALID, "wipe statement: no line of base64");
	n = EVP_DecodeBlock(out, c->at, (int)len);
	if (n < 0)
		return err_ossl(ERR_INVALID, "wipe statement: no base64");
	/* it counts the bytes that "=" stands for */
	*len_out = (size_t)n - (end[-1] == '=') - (end[-2] == '=');
	c->left -= len + 1;
	c->at = end + 1;
	return 0;
}

int wipe_envelope_parse(const void *data, size_t len, struct wipe_envelope *out)
{
	struct cursor c = cursor_of(data, len);
	int rc = base64_take(&c, out->signature, sizeof(out->signature), &out->signature_len);

	rc = rc ? rc : base64_take(&c, out->cert, sizeof(out->cert), &out->cert_len);
	if (!rc && (!c.left || c.left > WIPE_TEXT_MAX || out->signature_len > WIPE_SIGNATURE_MAX ||
		    out->cert_len > WIPE_CERT_MAX))
		rc = err_set(ERR_INVALID, "wipe statement: empty or too long");
	out->text = c.at;
	out->text_len = c.left;
	return rc;
}
