/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * FreeRADIUS 3.2 has no setting that lets a certificate past its end through a handshake, OpenSSL
 * has one for each connection. Owns setting it, when a connection is made, for the EAP instance
 * that is known by its verify_depth. Decides nothing: the verdict looks at the time
 * (docs/decisions/0148).
 */
#include "radius_modules/rlm_pump/rlm_pump.h"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509_vfy.h>

#define DEPTH_OF_RETURN 9 /* as in mods/eap_return; no other instance sets one */

static int hook = -1;

static void connection_begins(void *parent, void *ptr, CRYPTO_EX_DATA *data, int idx, long argl,
			      void *argp)
{
	X509_VERIFY_PARAM *param = parent ? SSL_get0_param(parent) : NULL;

	(void)ptr;
	(void)data;
	(void)idx;
	(void)argl;
	(void)argp;
	if (param && X509_VERIFY_PARAM_get_depth(param) == DEPTH_OF_RETURN)
		X509_VERIFY_PARAM_set_flags(param, X509_V_FLAG_NO_CHECK_TIME);
}

int tls_late_begin(void)
{
	if (hook < 0)
		hook = CRYPTO_get_ex_new_index(CRYPTO_EX_INDEX_SSL, 0, NULL, connection_begins,
					       NULL, NULL);
	if (hook >= 0)
		return 0;
	ERR_clear_error();
	return err_set(ERR_CRYPTO, "no place at OpenSSL's connections");
}

void tls_late_end(void)
{
	if (hook >= 0)
		CRYPTO_free_ex_index(CRYPTO_EX_INDEX_SSL, hook);
	hook = -1;
}
