/* SPDX-License-Identifier: BSD-2-Clause */
/* Owns the way to keys in tokens. Never sees a key's value, never puts a PIN into a URI. */
#include "ca/pkcs11.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include <openssl/conf.h>
#include <openssl/err.h>
#include <openssl/provider.h>
#include <openssl/store.h>
#include <openssl/ui.h>

int pkcs11_uri_check(const char *uri)
{
	static const char *const refused[] = {"pin-value", "pin-source", "module-name",
					      "module-path"};

	if (strncmp(uri, "pkcs11:", 7) || strlen(uri) > PKCS11_URI_MAX)
		return err_set(ERR_INVALID,
			       "a PKCS#11 URI begins with pkcs11: and has at most %d "
			       "characters",
			       PKCS11_URI_MAX);
	for (const char *p = uri; *p; p++)
		if (!isgraph((unsigned char)*p))
			return err_set(ERR_INVALID, "PKCS#11 URI: a character that must be written "
						    "as %%XX (RFC 7512)");
	for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++)
		if (strcasestr(uri, refused[i]))
			return err_set(ERR_INVALID,
				       "PKCS#11 URI: no %s in it; use [ca] pin_file and "
				       "pkcs11_module",
				       refused[i]);
	if (!strstr(uri, "object=") && !strstr(uri, "id="))
		return err_set(ERR_INVALID, "PKCS#11 URI: it must name the key by object= or id=");
	return 0;
}

/* The provider takes its module's path from configuration only; with OpenSSL 3.0 there is no other
 * way to hand it over than a configuration of our own, read from memory. Digests stay OpenSSL's. */
static int provider_load(const char *module)
{
	static const char form[] = "openssl_conf = a\n[a]\nproviders = p\n[p]\ndefault = d\n"
				   "pkcs11 = q\n[d]\nactivate = 1\n[q]\nactivate = 1\n"
				   "pkcs11-module-cache-pins = cache\n"
				   "pkcs11-module-block-operations = digest\n"
				   "pkcs11-module-quirks = no-deinit\n"
				   "pkcs11-module-path = ";
	CONF *conf = NULL;
	AUTO_BIO bio = BIO_new(BIO_s_mem());
	bool ok;

	if (*module != '/' || strpbrk(module, "\r\n#$\\\"' "))
		return err_set(ERR_DENIED,
			       "[ca] pkcs11_module must be the absolute path of the token's "
			       "library, such as /usr/lib/softhsm/libsofthsm2.so");
	if (OSSL_PROVIDER_available(NULL, "pkcs11"))
		return 0;
	OPENSSL_load_builtin_modules();
	conf = NCONF_new(NULL);
	ok = conf && bio && BIO_printf(bio, "%s%s\n", form, module) > 0 &&
	     NCONF_load_bio(conf, bio, NULL) > 0 && CONF_modules_load(conf, NULL, 0) > 0 &&
	     OSSL_PROVIDER_available(NULL, "pkcs11");
	NCONF_free(conf);
	return ok ? 0
		  : err_ossl(ERR_CRYPTO, "OpenSSL's provider pkcs11 can't be loaded (Debian: "
					 "apt-get install pkcs11-provider)");
}

struct pin_source {
	const struct key_access *access;
	const char *uri;
	bool asked;
	int rc; /* why there was no PIN */
};

static int pin_give(UI *ui, UI_STRING *s)
{
	struct pin_source *from = UI_get0_user_data(ui);
	AUTO_SECRET pin = NULL;

	if (UI_get_string_type(s) != UIT_PROMPT && UI_get_string_type(s) != UIT_VERIFY)
		return 1;
	if (from->asked) /* it was wrong: a token locks itself after a few tries */
		return 0;
	from->asked = true;
	from->rc = key_pin_read(from->access, from->uri, &pin);
	if (from->rc)
		return 0;
	return UI_set_result_ex(ui, s, (const char *)secret_data(pin), (int)secret_len(pin)) >= 0;
}

static int objects_read(OSSL_STORE_CTX *store, const char *uri, EVP_PKEY **out)
{
	AUTO_PKEY key = NULL;
	size_t n = 0;

	while (!OSSL_STORE_eof(store)) {
		OSSL_STORE_INFO *info = OSSL_STORE_load(store);

		if (!info)
			break;
		if (OSSL_STORE_INFO_get_type(info) == OSSL_STORE_INFO_PKEY && n++ == 0)
			key = OSSL_STORE_INFO_get1_PKEY(info);
		OSSL_STORE_INFO_free(info);
	}
	if (n > 1)
		return err_set(ERR_INVALID, "%s names %zu private keys: name one", uri, n);
	if (!key)
		return err_ossl(ERR_NOT_FOUND, "%s: no such private key (or a wrong PIN)", uri);
	ERR_clear_error();
	*out = OSSL_TAKE(key);
	return 0;
}

int pkcs11_key_load(const char *uri, const struct key_access *a, EVP_PKEY **out)
{
	struct pin_source pin = {.access = a, .uri = uri};
	OSSL_STORE_CTX *store;
	UI_METHOD *method;
	int rc = pkcs11_uri_check(uri);

	if (rc || (rc = provider_load(a->pkcs11_module)))
		return rc;
	method = UI_create_method("pumpgate");
	if (!method || UI_method_set_reader(method, pin_give)) {
		UI_destroy_method(method);
		return err_set(ERR_NOMEM, "no memory to ask for a PIN");
	}
	store = OSSL_STORE_open_ex(uri, NULL, "provider=pkcs11", method, &pin, NULL, NULL, NULL);
	rc = store ? objects_read(store, uri, out)
		   : err_ossl(ERR_CRYPTO, "%s: the token can't be opened", uri);
	OSSL_STORE_close(store);
	UI_destroy_method(method);
	if (rc && pin.rc) { /* the true reason */
		AUTO_SECRET again = NULL;

		return key_pin_read(a, uri, &again) ? pin.rc : rc;
	}
	return rc;
}
