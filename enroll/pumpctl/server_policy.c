/* SPDX-License-Identifier: BSD-2-Clause */
/* Owns when pumps must be told another name. Never signs anything itself. */
#include "enroll/pumpctl/server_policy.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include <openssl/cms.h>
#include <openssl/err.h>
#include <openssl/pem.h>

#include "base/clock.h"
#include "ca/request/server_name.h"
#include "enroll/pumpctl/registry.h"
#include "enroll/pumpctl/signer_command.h"

static int pem_take(const struct buf *said, struct server_policy *p)
{
	BIO *bio = BIO_new_mem_buf(said->data, (int)said->len);
	char *name = NULL, *header = NULL;
	unsigned char *der = NULL;
	long len = 0;
	int rc = 0;

	if (!bio || !PEM_read_bio(bio, &name, &header, &der, &len) ||
	    strcmp(name, PEM_STRING_CMS) || len <= 0 || (size_t)len > sizeof(p->der.data)) {
		rc = err_set(ERR_CRYPTO, "pumpgate-signerd gave no policy");
	} else {
		memcpy(p->der.data, der, (size_t)len);
		p->der.len = (uint32_t)len;
	}
	ERR_clear_error();
	OPENSSL_free(name);
	OPENSSL_free(header);
	OPENSSL_free(der);
	BIO_free(bio);
	return rc;
}

static int policy_sign(const struct settings *s, struct server_policy *p)
{
	AUTO_BUF said = {.max = 16384};
	char number[24];
	bool logins = *p->login_server;
	const char *const args[] = {
		"server-policy",	   "--radius",	    p->radius_name, "--number",	   number,
		logins ? "--login" : NULL, p->login_server, "--login-name", p->login_name, NULL};
	int status;
	int rc;

	snprintf(number, sizeof(number), "%" PRIu64, p->number);
	rc = signer_command(s->home, args, &said, &status);
	if (!rc && status)
		rc = err_set(ERR_CRYPTO, "pumpgate-signerd signed no policy: %s",
			     said.len ? buf_cstr(&said) : "no word");
	return rc ? rc : pem_take(&said, p);
}

/* Is `name` the first of its epochs, as every bundle tells it? */
static bool is_first_epoch(const char *name)
{
	char next[256];
	size_t label;

	if (server_name_next(name, next, sizeof(next)))
		return true; /* without epochs there is nothing to tell */
	label = strcspn(next, ".");
	return label >= 2 && next[label - 2] == '-' && next[label - 1] == '2';
}

/* Is there a name in the settings that pumps were not told? `now` number 0: none was signed yet. */
static bool is_name_untold(const struct settings *s, const struct server_policy *now)
{
	return now->number ? strcmp(now->radius_name, s->radius_name) != 0
			   : !is_first_epoch(s->radius_name);
}

/* Pumps from before there were logins have it in no bundle: without a policy it is untold. */
static bool is_login_untold(const struct settings *s, const struct server_policy *now)
{
	char login[sizeof(now->login_server)];

	settings_login_server(s, login, sizeof(login));
	return *login && (strcmp(login, now->login_server) != 0 ||
			  strcmp(s->login_name, now->login_name) != 0);
}

static int policy_read(struct ipc_client *registry, struct server_policy *out)
{
	const struct list_query q = {.limit = 1};
	size_t n = 0;

	*out = (struct server_policy){0};
	return registry_server_policy(registry, &q, out, 1, &n, REGISTRY_TIMEOUT_MS);
}

/* A rename that pumps were not told of yet; that they were never told of logins is none. */
static bool is_rename_untold(const struct settings *s, const struct server_policy *now,
			     enum epoch_name which)
{
	if (which == EPOCH_RADIUS)
		return is_name_untold(s, now);
	return *now->login_name ? strcmp(now->login_name, s->login_name) != 0
				: !is_first_epoch(s->login_name);
}

/* When pumps were told the name in the policy, at the latest; 0: in their bundle. Of the login
 * server's name nothing keeps the time, but the policy's own: that may be a later one. */
static int64_t told_at(const struct server_policy *now, enum epoch_name which)
{
	if (which == EPOCH_RADIUS)
		return now->named_at;
	return is_first_epoch(now->login_name) ? 0 : (int64_t)now->number * 1000;
}

int server_policy_rename(struct settings *s, enum epoch_name which, struct ipc_client *registry,
			 bool again)
{
	char next[sizeof(s->radius_name)], when[CLOCK_TEXT_MAX];
	struct server_policy now;
	int64_t told_ms;
	int rc = policy_read(registry, &now);

	if (rc || is_rename_untold(s, &now, which))
		return rc;
	told_ms = told_at(&now, which);
	if (told_ms && !again &&
	    clock_wall_ms() - told_ms < SERVER_POLICY_REST_DAYS * INT64_C(86400000)) {
		clock_format(told_ms, when);
		return err_set(
			ERR_CONFLICT,
			"pumps were told the name %s only at %s; those that were away since "
			"take no name after the next: use --again to shut them out until they "
			"are onboarded anew",
			settings_epoch_name(s, which), when);
	}
	rc = server_name_next(settings_epoch_name(s, which), next, sizeof(next));
	return rc ? rc : settings_rename(s, which, next);
}

/* By the clock, so that a registry restored from before gives no number twice. */
static uint64_t number_after(uint64_t last)
{
	uint64_t now_s = (uint64_t)(clock_wall_ms() / 1000);

	return now_s > last ? now_s : last + 1;
}

int server_policy_apply(const struct settings *s, struct ipc_client *registry, uint64_t *number_out)
{
	struct server_policy now, next = {0};
	int rc = policy_read(registry, &now);

	*number_out = 0;
	if (rc || !(is_name_untold(s, &now) || is_login_untold(s, &now)))
		return rc;
	next.number = number_after(now.number);
	if (str_copy(next.radius_name, sizeof(next.radius_name), s->radius_name))
		return err_set(ERR_LIMIT, "radius_name is too long");
	next.named_at = is_name_untold(s, &now) ? clock_wall_ms() : now.named_at;
	settings_login_server(s, next.login_server, sizeof(next.login_server));
	if (*next.login_server && str_copy(next.login_name, sizeof(next.login_name), s->login_name))
		return err_set(ERR_LIMIT, "login_name is too long");
	rc = policy_sign(s, &next);
	if (!rc)
		rc = registry_server_policy_set(registry, &next, REGISTRY_TIMEOUT_MS);
	if (!rc)
		*number_out = next.number;
	return rc;
}

int server_policy_login_lags(const struct settings *s, struct ipc_client *registry,
			     char told_out[LABEL_SIZE])
{
	struct server_policy now;
	int rc = policy_read(registry, &now);

	*told_out = '\0';
	if (rc || !now.number || !*now.login_server || !is_login_untold(s, &now))
		return rc;
	return str_copy(told_out, LABEL_SIZE, now.login_server);
}

/* Has the policy the certificate of this CA with it, as all have that it signed? */
static bool is_signed_under(const struct server_policy *p, X509 *ca)
{
	const unsigned char *at = p->der.data;
	CMS_ContentInfo *cms = d2i_CMS_ContentInfo(NULL, &at, (long)p->der.len);
	STACK_OF(X509) *certs = cms ? CMS_get1_certs(cms) : NULL;
	bool found = false;

	for (int i = 0; i < sk_X509_num(certs); i++)
		found |= X509_cmp(sk_X509_value(certs, i), ca) == 0;
	sk_X509_pop_free(certs, X509_free);
	CMS_ContentInfo_free(cms);
	ERR_clear_error();
	return found;
}

int server_policy_follow(const struct settings *s, struct ipc_client *registry, X509 *ca,
			 bool *changed)
{
	struct server_policy now, next;
	int rc = policy_read(registry, &now);

	if (rc || !now.number || is_signed_under(&now, ca))
		return rc;
	next = now; /* it says the same */
	next.number = number_after(now.number);
	rc = policy_sign(s, &next);
	if (!rc)
		rc = registry_server_policy_set(registry, &next, REGISTRY_TIMEOUT_MS);
	*changed = *changed || !rc;
	return rc;
}
