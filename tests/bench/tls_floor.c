/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The least CPU time that one EAP-TLS authentication can cost the server: OpenSSL's server half of
 * the handshake alone, in memory, with the same certificates. No RADIUS, no EAP, no daemon. Prints
 * one JSON object: milliseconds per handshake.
 *
 *   tls_floor KEY CERT CLIENT-CA SERVER-CA CERTS-FOLDER COUNT
 */
#include <err.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include <openssl/err.h>

#include "tests/bench/credential_set.h"

static int64_t thread_cpu_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &ts);
	return (int64_t)ts.tv_sec * 1000000000 + ts.tv_nsec;
}

static SSL_CTX *server_context(char **argv)
{
	SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());

	if (!ctx || SSL_CTX_use_certificate_file(ctx, argv[2], SSL_FILETYPE_PEM) != 1 ||
	    SSL_CTX_use_PrivateKey_file(ctx, argv[1], SSL_FILETYPE_PEM) != 1 ||
	    SSL_CTX_load_verify_file(ctx, argv[3]) != 1) {
		ERR_print_errors_fp(stderr);
		errx(1, "server context");
	}
	SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
	SSL_CTX_set_mode(ctx, SSL_MODE_NO_AUTO_CHAIN);
	SSL_CTX_set_options(ctx, SSL_OP_NO_TICKET);
	SSL_CTX_set_num_tickets(ctx, 0);
	SSL_CTX_set_session_id_context(ctx, (const unsigned char *)"floor", 5);
	return ctx;
}

/* Whether `n` of a handshake step is a failure. */
static void step_check(const SSL *ssl, int n)
{
	int why = SSL_get_error(ssl, n);

	if (n != 1 && why != SSL_ERROR_WANT_READ) {
		ERR_print_errors_fp(stderr);
		errx(1, "handshake");
	}
}

/* One handshake; yields the server half's CPU time. *session is offered and replaced. */
static int64_t handshake(SSL_CTX *server_ctx, SSL_CTX *client_ctx, SSL_SESSION **session)
{
	int64_t started = thread_cpu_ns(), spent;
	SSL *server = SSL_new(server_ctx), *client;
	BIO *to_server = BIO_new(BIO_s_mem()), *to_client = BIO_new(BIO_s_mem());
	int c = 0, s = 0;

	SSL_set_bio(server, to_server, to_client);
	SSL_set_accept_state(server);
	spent = thread_cpu_ns() - started;
	client = SSL_new(client_ctx);
	BIO_up_ref(to_server);
	BIO_up_ref(to_client);
	SSL_set_bio(client, to_client, to_server);
	SSL_set_connect_state(client);
	if (session && *session)
		SSL_set_session(client, *session);
	while (c != 1 || s != 1) {
		c = SSL_do_handshake(client);
		step_check(client, c);
		started = thread_cpu_ns();
		s = SSL_do_handshake(server);
		spent += thread_cpu_ns() - started;
		step_check(server, s);
	}
	if (session) {
		SSL_SESSION_free(*session);
		*session = SSL_get1_session(client);
	}
	SSL_set_shutdown(client, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
	SSL_free(client);
	started = thread_cpu_ns();
	SSL_set_shutdown(server, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
	SSL_free(server);
	return spent + thread_cpu_ns() - started;
}

static double measure(char **argv, int version, unsigned count, bool resume)
{
	struct credential_set certs;
	SSL_CTX *server = server_context(argv);
	SSL_SESSION *session = NULL;
	int64_t sum = 0;

	credential_set_load(argv[5], argv[4], version, 200, &certs);
	SSL_CTX_set_session_cache_mode(server, resume ? SSL_SESS_CACHE_SERVER : SSL_SESS_CACHE_OFF);
	for (unsigned i = 0; i < 10; i++) /* warm */
		handshake(server, certs.all[0].ctx, resume ? &session : NULL);
	for (unsigned i = 0; i < count; i++)
		sum += handshake(server, certs.all[resume ? 0 : i % certs.n].ctx,
				 resume ? &session : NULL);
	SSL_SESSION_free(session);
	SSL_CTX_free(server);
	credential_set_done(&certs);
	return (double)sum / 1e6 / count;
}

int main(int argc, char **argv)
{
	unsigned count;

	if (argc != 7)
		errx(64, "usage: tls_floor KEY CERT CLIENT-CA SERVER-CA CERTS-FOLDER COUNT");
	count = (unsigned)strtoul(argv[6], NULL, 10);
	if (count == 0)
		errx(64, "a count of 0");
	printf("{\"full_12_ms\":%.4f,\"full_13_ms\":%.4f,\"resumed_12_ms\":%.4f}\n",
	       measure(argv, TLS1_2_VERSION, count, false),
	       measure(argv, TLS1_3_VERSION, count, false),
	       measure(argv, TLS1_2_VERSION, count, true));
	return 0;
}
