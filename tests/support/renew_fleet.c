/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Plays the agents of many pumps for one round: each asks when it shall renew, and if that is now,
 * renews with a new key, by the agent's own client code: what is new goes to OUT, and the old
 * DIR/SERIAL.{key,pem} are removed, so that the next round is for the others. Prints how many were
 * asked and renewed; exit status 0 when everybody was answered.
 */
#include <dirent.h>
#include <err.h>
#include <getopt.h>
#include <limits.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <event2/thread.h>
#include <openssl/pem.h>

#include "base/clock.h"
#include "pump_agent/anchors.h"
#include "pump_agent/credential.h"
#include "pump_agent/est_client.h"

#define THREADS_MAX 16
#define PUMPS_MAX 100000

static const char usage[] =
	"usage: renew_fleet --est URL --ca FILE --certs DIR --out DIR [--threads N]\n";

static struct {
	const char *est, *certs, *out;
	STACK_OF(X509) * anchors;
	char (*serials)[PUMP_SERIAL_MAX + 1];
	unsigned n;
	atomic_uint next, asked, renewed, failed;
} run;

static void anchors_read(const char *path)
{
	FILE *f = fopen(path, "re");
	X509 *x;

	run.anchors = sk_X509_new_null();
	if (!f || !run.anchors)
		err(1, "%s", path);
	while ((x = PEM_read_X509(f, NULL, NULL, NULL)))
		sk_X509_push(run.anchors, x);
	ERR_clear_error();
	fclose(f);
}

static void serials_read(void)
{
	DIR *d = opendir(run.certs);
	struct dirent *e;

	run.serials = calloc(PUMPS_MAX, sizeof(*run.serials));
	if (!d || !run.serials)
		err(1, "%s", run.certs);
	while (run.n < PUMPS_MAX && (e = readdir(d))) {
		char *dot = strrchr(e->d_name, '.');

		if (dot && !strcmp(dot, ".pem") && dot - e->d_name <= PUMP_SERIAL_MAX)
			memcpy(run.serials[run.n++], e->d_name, (size_t)(dot - e->d_name));
	}
	closedir(d);
}

static FILE *file_open(const char *folder, const char *serial, const char *kind, const char *mode)
{
	char path[PATH_MAX];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s.%s", folder, serial, kind);
	f = fopen(path, mode);
	if (!f)
		err(1, "%s", path);
	return f;
}

static void identity_read(const char *serial, EVP_PKEY **key, X509 **cert)
{
	FILE *k = file_open(run.certs, serial, "key", "re");
	FILE *c = file_open(run.certs, serial, "pem", "re");

	*key = PEM_read_PrivateKey(k, NULL, NULL, NULL);
	*cert = PEM_read_X509(c, NULL, NULL, NULL);
	if (!*key || !*cert)
		errx(1, "%s: no identity", serial);
	fclose(k);
	fclose(c);
}

static void identity_write(const char *folder, const char *serial, EVP_PKEY *key, X509 *cert)
{
	FILE *k = file_open(folder, serial, "key", "we");
	FILE *c = file_open(folder, serial, "pem", "we");

	if (!PEM_write_PrivateKey(k, key, NULL, NULL, 0, NULL, NULL) || !PEM_write_X509(c, cert) ||
	    fclose(k) || fclose(c))
		errx(1, "%s: cannot be written", serial);
}

static void identity_remove(const char *serial)
{
	static const char *const kinds[] = {"key", "pem"};
	char path[PATH_MAX];

	for (size_t i = 0; i < 2; i++) {
		snprintf(path, sizeof(path), "%s/%s.%s", run.certs, serial, kinds[i]);
		if (unlink(path))
			err(1, "%s", path);
	}
}

static X509 *certificate_for(EVP_PKEY *key, const struct buf *answer)
{
	AUTO_X509S certs = NULL;

	if (est_certs_parse(answer->data, answer->len, &certs))
		return NULL;
	for (int i = 0; i < sk_X509_num(certs); i++) {
		X509 *x = sk_X509_value(certs, i);

		if (X509_check_private_key(x, key) == 1 && X509_up_ref(x))
			return x;
	}
	ERR_clear_error();
	return NULL;
}

static int renew(struct est_session *est, const char *serial, EVP_PKEY *key, X509 *cert)
{
	const struct credential_prior prior = {key, cert};
	struct credential_request rq = {
		.serial = serial, .prior = &prior, .now_ms = clock_wall_ms()};
	AUTO_BUF csr = {.max = 8192}, answer = {.max = 65536};
	AUTO_PKEY fresh = NULL;
	AUTO_X509 next = NULL;
	int rc = credential_key_new(KEY_P256, &fresh);

	rq.key = fresh;
	rc = rc ? rc : credential_request_build(&rq, &csr);
	rc = rc ? rc : est_simplereenroll(est, &csr, &answer);
	if (rc)
		return rc;
	next = certificate_for(fresh, &answer);
	if (!next)
		return err_set(ERR_INVALID, "no certificate for the new key");
	identity_write(run.out, serial, fresh, next);
	identity_remove(serial);
	return 0;
}

static int pump_run(const char *serial)
{
	struct est_renewal_info info;
	AUTO_PKEY key = NULL;
	AUTO_X509 cert = NULL;
	AUTO_EST est = NULL;
	struct est_identity shown = {0};
	int rc;

	identity_read(serial, &key, &cert);
	shown = (struct est_identity){key, cert, NULL};
	rc = est_session_new(run.est, run.anchors, &shown, NULL, &est);
	rc = rc ? rc : est_renewal_info(est, &info);
	if (rc || info.start_s > clock_wall_ms() / 1000)
		return rc;
	run.asked++;
	rc = renew(est, serial, key, cert);
	run.renewed += rc == 0;
	return rc;
}

static void *some(void *unused)
{
	unsigned i;

	(void)unused;
	while ((i = run.next++) < run.n)
		if (pump_run(run.serials[i]) && run.failed++ == 0)
			warnx("%s: %s", run.serials[i], err_text());
	return NULL;
}

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{"est", 1, NULL, 'e'}, {"ca", 1, NULL, 'a'},	  {"certs", 1, NULL, 'c'},
		{"out", 1, NULL, 'o'}, {"threads", 1, NULL, 't'}, {NULL, 0, NULL, 0},
	};
	pthread_t threads[THREADS_MAX];
	const char *ca = NULL;
	int n = 4, o;

	while ((o = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (o == '?')
			errx(64, "%s", usage);
		run.est = o == 'e' ? optarg : run.est;
		run.certs = o == 'c' ? optarg : run.certs;
		run.out = o == 'o' ? optarg : run.out;
		ca = o == 'a' ? optarg : ca;
		n = o == 't' ? atoi(optarg) : n;
	}
	if (!run.est || !run.certs || !run.out || !ca || n < 1 || n > THREADS_MAX)
		errx(64, "%s", usage);
	if (evthread_use_pthreads())
		errx(1, "no memory for locks");
	anchors_read(ca);
	serials_read();
	for (int i = 0; i < n; i++)
		if (pthread_create(&threads[i], NULL, some, NULL))
			errx(1, "pthread_create");
	for (int i = 0; i < n; i++)
		pthread_join(threads[i], NULL);
	printf("{\"pumps\":%u,\"asked\":%u,\"renewed\":%u,\"failed\":%u}\n", run.n, run.asked,
	       run.renewed, run.failed);
	sk_X509_pop_free(run.anchors, X509_free);
	free(run.serials);
	return run.failed ? 1 : 0;
}
