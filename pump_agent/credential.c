/* SPDX-License-Identifier: BSD-2-Clause */
/* Owns the pump's key pair in memory and the rules for its certificate. Never touches a disk. */
#include "pump_agent/credential.h"

#include <stdio.h>
#include <string.h>

#include <openssl/ec.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509v3.h>

#include "ca/request/device_name.h"
#include "ca/request/related_cert_request.h"
#include "pump_agent/anchors.h"

#define KEY_PEM_MAX 8192
#define CLOCK_SLACK_S 86400

int credential_key_new(enum key_kind kind, EVP_PKEY **out)
{
	EVP_PKEY *key;

	switch (kind) {
	case KEY_RSA2048:
		key = EVP_RSA_gen(2048);
		break;
	case KEY_RSA3072:
		key = EVP_RSA_gen(3072);
		break;
	case KEY_RSA4096:
		key = EVP_RSA_gen(4096);
		break;
	default:
		key = EVP_EC_gen(kind == KEY_P384 ? "P-384" : "P-256");
	}
	if (!key)
		return err_ossl(ERR_CRYPTO, "making a key");
	*out = key;
	return 0;
}

int credential_key_build(const EVP_PKEY *key, struct buf *pem_out)
{
	AUTO_BIO bio = BIO_new(BIO_s_secmem());
	char *text;
	long len;

	if (!bio || !PEM_write_bio_PKCS8PrivateKey(bio, key, NULL, NULL, 0, NULL, NULL))
		return err_ossl(ERR_CRYPTO, "key");
	len = BIO_get_mem_data(bio, &text);
	return buf_put(pem_out, text, (size_t)len);
}

static int no_passphrase(char *buf, int size, int rwflag, void *arg)
{
	(void)buf;
	(void)size;
	(void)rwflag;
	(void)arg;
	return -1; /* never ask at a terminal */
}

int credential_key_parse(const void *pem, size_t len, EVP_PKEY **out)
{
	AUTO_BIO bio = len <= KEY_PEM_MAX ? BIO_new_mem_buf(pem, (int)len) : NULL;
	EVP_PKEY *key = bio ? PEM_read_bio_PrivateKey(bio, NULL, no_passphrase, NULL) : NULL;

	if (!key)
		return err_ossl(ERR_CRYPTO, "key");
	*out = key;
	return 0;
}

static int request_name(X509_REQ *req, const char *serial)
{
	X509_NAME *name = X509_REQ_get_subject_name(req); /* ours to change */
	char urn[DEVICE_URN_SIZE];
	char san[sizeof(urn) + 4];
	AUTO_X509_EXTENSIONS exts = sk_X509_EXTENSION_new_null();
	X509_EXTENSION *ext;

	int rc = device_urn_build(serial, urn);

	if (rc)
		return rc;
	snprintf(san, sizeof(san), "URI:%s", urn);
	ext = X509V3_EXT_conf_nid(NULL, NULL, NID_subject_alt_name, san);
	if (!ext)
		return err_ossl(ERR_CRYPTO, "request");
	if (!exts || !sk_X509_EXTENSION_push(exts, ext)) {
		X509_EXTENSION_free(ext);
		return err_set(ERR_NOMEM, "no memory for a request");
	}
	if (!X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, (const uint8_t *)serial, -1, -1,
					0) ||
	    !X509_REQ_add_extensions(req, exts))
		return err_ossl(ERR_CRYPTO, "request");
	return 0;
}

int credential_request_build(const struct credential_request *r, struct buf *der_out)
{
	AUTO_X509_REQ req = X509_REQ_new();
	uint8_t *at;
	int rc, len;

	if (!req || !X509_REQ_set_version(req, 0) || !X509_REQ_set_pubkey(req, r->key))
		return err_ossl(ERR_CRYPTO, "request");
	rc = request_name(req, r->serial);
	if (!rc && r->prior)
		rc = related_cert_request_add(req, r->prior->cert, r->prior->key, r->now_ms);
	if (rc)
		return rc;
	if (r->challenge && *r->challenge &&
	    !X509_REQ_add1_attr_by_NID(req, NID_pkcs9_challengePassword, MBSTRING_ASC,
				       (const uint8_t *)r->challenge, -1))
		return err_ossl(ERR_CRYPTO, "request");
	if (!X509_REQ_sign(req, r->key, EVP_sha256()))
		return err_ossl(ERR_CRYPTO, "request");
	len = i2d_X509_REQ(req, NULL);
	if (len <= 0)
		return err_ossl(ERR_CRYPTO, "request");
	rc = buf_reserve(der_out, (size_t)len, &at);
	if (!rc)
		i2d_X509_REQ(req, &at);
	return rc;
}

/* Exactly one subject alternative name, and it is ours. */
static bool names_us(X509 *cert, const char *serial)
{
	GENERAL_NAMES *names = X509_get_ext_d2i(cert, NID_subject_alt_name, NULL, NULL);
	char want[DEVICE_URN_SIZE] = "";
	bool yes = false;

	if (!device_urn_build(serial, want) && names && sk_GENERAL_NAME_num(names) == 1) {
		int type;
		const ASN1_STRING *s =
			GENERAL_NAME_get0_value(sk_GENERAL_NAME_value(names, 0), &type);

		yes = type == GEN_URI && (size_t)ASN1_STRING_length(s) == strlen(want) &&
		      !memcmp(ASN1_STRING_get0_data(s), want, strlen(want));
	}
	GENERAL_NAMES_free(names);
	ERR_clear_error();
	return yes;
}

static int64_t seconds_of(const ASN1_TIME *t)
{
	int64_t ms;

	return ossl_time_ms(t, &ms) ? 0 : ms / 1000;
}

int64_t credential_not_before(const X509 *cert)
{
	return seconds_of(X509_get0_notBefore(cert));
}

int64_t credential_not_after(const X509 *cert)
{
	return seconds_of(X509_get0_notAfter(cert));
}

static int times_check(const X509 *cert, int64_t now_s)
{
	if (credential_not_after(cert) <= now_s)
		return err_set(ERR_EXPIRED, "certificate: is past its end by this pump's clock");
	if (seconds_of(X509_get0_notBefore(cert)) > now_s + CLOCK_SLACK_S)
		return err_set(ERR_INVALID, "certificate: begins more than a day ahead of this "
					    "pump's clock");
	return 0;
}

static int chain_check(X509 *cert, const STACK_OF(X509) * devices)
{
	AUTO_X509_STORE store = NULL;
	AUTO_X509_STORE_CTX ctx = X509_STORE_CTX_new();
	int rc = anchors_store(devices, &store);

	if (rc)
		return rc;
	if (!ctx || !X509_STORE_CTX_init(ctx, store, cert, NULL))
		return err_ossl(ERR_CRYPTO, "certificate");
	X509_STORE_CTX_set_purpose(ctx, X509_PURPOSE_SSL_CLIENT);
	/* times_check has its own rule for them */
	X509_STORE_CTX_set_flags(ctx, X509_V_FLAG_NO_CHECK_TIME);
	if (X509_verify_cert(ctx) != 1) {
		int why = X509_STORE_CTX_get_error(ctx);

		ERR_clear_error();
		return err_set(ERR_CRYPTO, "certificate: not from the device CA: %s",
			       X509_verify_cert_error_string(why));
	}
	return 0;
}

int credential_check(X509 *cert, EVP_PKEY *key, const char *serial, const STACK_OF(X509) * devices,
		     int64_t now_s)
{
	int rc;

	if (EVP_PKEY_eq(X509_get0_pubkey(cert), key) != 1) {
		ERR_clear_error();
		return err_set(ERR_INVALID, "certificate: does not fit this pump's key");
	}
	if (!names_us(cert, serial))
		return err_set(ERR_INVALID, "certificate: is not for pump %s alone", serial);
	if (X509_check_ca(cert) || !(X509_get_extended_key_usage(cert) & XKU_SSL_CLIENT) ||
	    X509_get_extended_key_usage(cert) == UINT32_MAX)
		return err_set(ERR_INVALID, "certificate: is not one for client authentication");
	rc = times_check(cert, now_s);
	return rc ? rc : chain_check(cert, devices);
}

int credential_pkcs12_build(EVP_PKEY *key, X509 *cert, const STACK_OF(X509) * chain,
			    const char *passphrase, struct buf *der_out)
{
	/* The passphrase is random and lives as long as the blob: iterations would buy nothing. */
	AUTO_PKCS12 p12 = PKCS12_create(passphrase, "pump", key, cert, (STACK_OF(X509) *)chain,
					NID_aes_256_cbc, NID_aes_256_cbc, 1, 1, 0);
	uint8_t *at;
	int rc, len;

	if (!p12)
		return err_ossl(ERR_CRYPTO, "PKCS#12");
	len = i2d_PKCS12(p12, NULL);
	if (len <= 0)
		return err_ossl(ERR_CRYPTO, "PKCS#12");
	rc = buf_reserve(der_out, (size_t)len, &at);
	if (!rc)
		i2d_PKCS12(p12, &at);
	return rc;
}

int64_t credential_renew_at(const X509 *cert, unsigned percent)
{
	int64_t start = seconds_of(X509_get0_notBefore(cert));
	int64_t life = credential_not_after(cert) - start;
	uint8_t md[EVP_MAX_MD_SIZE] = {0};
	unsigned len = 0;
	int64_t spread;

	if (life <= 0)
		return 0;
	if (!X509_digest(cert, EVP_sha256(), md, &len))
		ERR_clear_error();
	/* two bytes of the digest: -0.05 to +0.05 of the life */
	spread = life * ((int64_t)(md[0] << 8 | md[1]) - 32768) / 655360;
	return start + life / 100 * percent + life % 100 * percent / 100 + spread;
}

int64_t credential_renew_latest(const X509 *cert, int64_t plan_s)
{
	int64_t end = credential_not_after(cert);
	int64_t life = end - seconds_of(X509_get0_notBefore(cert));
	int64_t latest = end - life / 10;

	return life > 0 && latest > plan_s ? latest : plan_s;
}

int64_t credential_moment(const X509 *cert, int64_t start_s, int64_t end_s)
{
	uint8_t md[EVP_MAX_MD_SIZE] = {0};
	unsigned len = 0;

	if (!X509_digest(cert, EVP_sha256(), md, &len))
		ERR_clear_error();
	return start_s + (end_s - start_s) / 65536 * (md[2] << 8 | md[3]) +
	       (end_s - start_s) % 65536 * (md[2] << 8 | md[3]) / 65536;
}
