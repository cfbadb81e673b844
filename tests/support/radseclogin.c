/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A pump as a RadSec client, for tests: one TLS connection with the pump's certificate, one command
 * per line of standard input, one line of answer each.
 *
 *   radseclogin HOST:PORT TRUST.pem SERVER-NAME [CERT.pem KEY.pem]
 *
 *   login NAME PASSWORD | pin BADGE PIN | hex NAMEHEX PASSWORDHEX     words without blanks
 *   plain NAME PASSWORD            as login, but without a blob, as any client would
 *   contact TOMBSTONE GENERATION   [then: SEQ WHAT USER LOGIN-ID]
 *   journal ID N,N,... USER        a contact with these records of the journal ID, in this order
 *   flood N NAME                   N logins with wrong passwords, many on the way at once; counts
 *   time N NAME PASSWORD           N logins one after the other; JSON with median and p99
 *   rate R N NAME PASSWORD         N logins as they come, R a second on average (at random),
 *                                  whatever was answered by then; JSON with each one's ms
 *   raw HEX                        a packet's bytes as they are
 */
#include <arpa/inet.h>
#include <netdb.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <openssl/ssl.h>

#include "base/clock.h"
#include "radius_modules/packet/radius_packet.h"
#include "sql/wire/login_wire.h"

#define FLIGHT 32

static SSL *tls;
static uint8_t next_id;
static uint8_t authenticators[256][RADIUS_AUTHENTICATOR_BYTES];
static bool is_open[256]; /* asked, not answered */

static int fail(const char *what)
{
	printf("failed %s\n", what);
	ERR_print_errors_fp(stderr);
	return 1;
}

static int tcp_open(const char *where)
{
	char host[64];
	const char *colon = strrchr(where, ':');
	struct sockaddr_in to = {.sin_family = AF_INET};
	const struct timeval patience = {.tv_sec = 15};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	snprintf(host, sizeof(host), "%.*s", colon ? (int)(colon - where) : 0, where);
	if (!colon || inet_pton(AF_INET, host, &to.sin_addr) != 1)
		return -1;
	to.sin_port = htons((uint16_t)atoi(colon + 1));
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	return fd >= 0 && !connect(fd, (struct sockaddr *)&to, sizeof(to)) ? fd : -1;
}

static int tls_open(int argc, char **argv)
{
	SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());
	int fd;

	if (!ctx || !SSL_CTX_load_verify_locations(ctx, argv[2], NULL))
		return fail("trust");
	SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER, NULL);
	if (argc > 5 && (SSL_CTX_use_certificate_chain_file(ctx, argv[4]) != 1 ||
			 SSL_CTX_use_PrivateKey_file(ctx, argv[5], SSL_FILETYPE_PEM) != 1))
		return fail("certificate");
	tls = SSL_new(ctx);
	fd = tcp_open(argv[1]);
	if (fd < 0)
		return fail("connect");
	SSL_set_fd(tls, fd);
	SSL_set1_host(tls, argv[3]);
	if (SSL_connect(tls) != 1)
		return fail("handshake");
	return 0;
}

static int read_all(uint8_t *to, size_t len)
{
	for (size_t at = 0; at < len;) {
		int n = SSL_read(tls, to + at, (int)(len - at));

		if (n <= 0)
			return -1;
		at += (size_t)n;
	}
	return 0;
}

static int receive(uint8_t buf[RADIUS_PACKET_MAX], struct radius_view *v)
{
	size_t len;

	if (read_all(buf, 4))
		return -1;
	len = (size_t)buf[2] << 8 | buf[3];
	if (len < RADIUS_HEADER_BYTES || len > RADIUS_PACKET_MAX || read_all(buf + 4, len - 4) ||
	    radius_view_parse(buf, len, v))
		return -1;
	is_open[v->id] = false;
	return radius_verify_reply(v, authenticators[v->id], "radsec", 6, true);
}

static void hears_print(const struct radius_view *v)
{
	AUTO_BUF blob = {.max = 8192};
	struct radius_attr a;
	struct cursor at, record;
	struct login_tombstone t;
	struct login_terms terms;
	struct login_grant g;
	struct login_refusal r;
	size_t pos = 0;
	uint8_t kind;

	while (radius_attr_vendor_next(v, &pos, LOGIN_VENDOR, LOGIN_ATTR_HEARS, &a))
		if (buf_put(&blob, a.value, a.len))
			return;
	at = cursor_of(blob.data, blob.len);
	while (login_item_next(&at, &kind, &record) == 1) {
		if (kind == LOGIN_KIND_TOMBSTONE &&
		    !record_get(&record, &record_login_tombstone, &t))
			printf(" forget=%s", t.user);
		if (kind == LOGIN_KIND_TERMS && !record_get(&record, &record_login_terms, &terms))
			printf(" epoch=%llu tombstone=%llu stored=%llu%s%s",
			       (unsigned long long)terms.policy_epoch,
			       (unsigned long long)terms.tombstone,
			       (unsigned long long)terms.stored, terms.more ? " more" : "",
			       terms.drop ? " drop" : "");
		if (kind == LOGIN_KIND_GRANT && !record_get(&record, &record_login_grant, &g))
			printf(" user=%s role=%s login=%s session=%u idle=%u offline=%u", g.user,
			       g.role, g.login_id, g.session_s, g.idle_s,
			       g.offline ? g.offline_s : 0);
		if (kind == LOGIN_KIND_REFUSAL && !record_get(&record, &record_login_refusal, &r))
			printf(" result=%s retry=%u", r.result, r.retry_s);
	}
}

static void answer_print(const struct radius_view *v, int64_t took_us)
{
	char text[254];
	uint32_t n;

	printf("%s", v->code == RADIUS_ACCESS_ACCEPT ? "accept" : "reject");
	if (radius_attr_str(v, RADIUS_USER_NAME, text, sizeof(text)))
		printf(" name=%s", text);
	if (radius_attr_u32(v, RADIUS_SESSION_TIMEOUT, &n))
		printf(" timeout=%u", n);
	hears_print(v);
	if (radius_attr_str(v, RADIUS_REPLY_MESSAGE, text, sizeof(text)))
		printf(" text=\"%s\"", text);
	printf(" ms=%lld\n", (long long)(took_us / 1000));
}

struct ask {
	const void *name, *password;
	size_t name_len, password_len;
	bool plain, contact;
	struct login_state says;
	struct login_record record; /* seq 0: none */
	uint64_t more[8];	    /* numbers of the same record, sent after it; 0 ends them */
};

/* RFC 2865 5.2, also what radius_put_password refuses to hide: a NUL inside. */
static int password_put(struct radius_packet *p, const uint8_t *random, const uint8_t *password,
			size_t len)
{
	uint8_t hidden[RADIUS_PASSWORD_MAX] = {0}, seed[6 + 16] = "radsec", pad[EVP_MAX_MD_SIZE];

	if (len > sizeof(hidden))
		return err_set(ERR_LIMIT, "a password of %zu bytes", len);
	memcpy(hidden, password, len);
	len = (len + 15) / 16 * 16;
	for (size_t at = 0; at < len; at += 16) {
		memcpy(seed + 6, at ? hidden + at - 16 : random, 16);
		EVP_Digest(seed, sizeof(seed), pad, NULL, EVP_md5(), NULL);
		for (size_t i = 0; i < 16; i++)
			hidden[at + i] ^= pad[i];
	}
	return radius_put(p, RADIUS_USER_PASSWORD, hidden, len);
}

static int packet_build(const struct ask *q, struct radius_packet *p)
{
	uint8_t *random;
	AUTO_BUF blob = {.max = LOGIN_BLOB_MAX};
	int rc;

	while (is_open[next_id]) /* fewer are on the way than there are numbers */
		next_id++;
	is_open[next_id] = true;
	random = authenticators[next_id];
	rc = RAND_bytes(random, RADIUS_AUTHENTICATOR_BYTES) == 1 ? 0 : -1;
	radius_begin(p, RADIUS_ACCESS_REQUEST, next_id++);
	if (q->contact)
		rc = rc ? rc : radius_put_u32(p, RADIUS_SERVICE_TYPE, LOGIN_SERVICE_CONTACT);
	else
		rc = rc ? rc : radius_put(p, RADIUS_USER_NAME, q->name, q->name_len);
	if (!q->contact)
		rc = rc ? rc : password_put(p, random, q->password, q->password_len);
	if (!q->plain)
		rc = rc ? rc
			: login_item_put(&blob, LOGIN_KIND_STATE, &record_login_state, &q->says);
	if (q->record.seq)
		rc = rc ? rc
			: login_item_put(&blob, LOGIN_KIND_RECORD, &record_login_record,
					 &q->record);
	for (size_t i = 0; i < 8 && q->more[i]; i++) {
		struct login_record r = q->record;

		r.seq = q->more[i];
		rc = rc ? rc : login_item_put(&blob, LOGIN_KIND_RECORD, &record_login_record, &r);
	}
	if (!q->plain)
		rc = rc ? rc
			: radius_put_vendor(p, LOGIN_VENDOR, LOGIN_ATTR_SAYS, blob.data, blob.len);
	return rc ? rc : radius_sign_access_request(p, random, "radsec", 6);
}

static int send_packet(const struct radius_packet *p)
{
	return SSL_write(tls, p->data, (int)p->len) == (int)p->len ? 0 : -1;
}

/* The answer's code; -1: there was none. */
static int ask_once(const struct ask *q, bool print, int64_t *took_us)
{
	uint8_t buf[RADIUS_PACKET_MAX];
	struct radius_packet p;
	struct radius_view v;
	int64_t began = clock_mono_us();

	if (packet_build(q, &p))
		return -fail(err_text());
	if (send_packet(&p) || receive(buf, &v))
		return -fail("no answer");
	*took_us = clock_mono_us() - began;
	if (print)
		answer_print(&v, *took_us);
	return v.code;
}

static int by_time(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return (x > y) - (x < y);
}

static int time_many(struct ask *q, unsigned n)
{
	int64_t *took = calloc(n, sizeof(*took));
	unsigned accepted = 0;

	for (unsigned i = 0; i < n; i++) {
		int rc = ask_once(q, false, &took[i]);

		if (rc < 0) {
			free(took);
			return 1;
		}
		accepted += rc == RADIUS_ACCESS_ACCEPT;
	}
	qsort(took, n, sizeof(*took), by_time);
	printf("{\"logins\": %u, \"accepted\": %u, \"p50_ms\": %.1f, \"p99_ms\": %.1f}\n", n,
	       accepted, (double)took[n / 2] / 1000, (double)took[n * 99 / 100] / 1000);
	free(took);
	return 0;
}

/* Arrivals that do not wait for answers, as people do not for each other. Late is counted from when
 * a login was to be sent. */
static int rate(struct ask *q, double per_s, unsigned n)
{
	int64_t *took = calloc(n, sizeof(*took)), due[256], next = clock_mono_us();
	struct pollfd fd = {.fd = SSL_get_fd(tls), .events = POLLIN};
	unsigned sent = 0, got = 0, accepted = 0;
	uint8_t buf[RADIUS_PACKET_MAX];
	struct radius_packet p;
	struct radius_view v;

	srand48(getpid());
	while (took && got < n) {
		int64_t wait_us = sent < n ? next - clock_mono_us() : 5000000;

		if (sent < n && wait_us <= 0) {
			if (packet_build(q, &p) || send_packet(&p))
				break;
			due[(uint8_t)(next_id - 1)] = next;
			do /* each millisecond has the same chance */
				next += 1000;
			while (drand48() >= per_s / 1000);
			sent++;
			continue;
		}
		if (!SSL_pending(tls) && poll(&fd, 1, (int)(wait_us / 1000) + 1) <= 0) {
			if (sent == n)
				break; /* the last never came */
			continue;
		}
		if (receive(buf, &v))
			break;
		took[got++] = clock_mono_us() - due[v.id];
		accepted += v.code == RADIUS_ACCESS_ACCEPT;
	}
	printf("{\"logins\": %u, \"accepted\": %u, \"ms\": [", n, accepted);
	for (unsigned i = 0; i < got; i++)
		printf("%s%.1f", i ? "," : "", (double)took[i] / 1000);
	printf("]}\n");
	free(took);
	return got == n ? 0 : 1;
}

static int flood(struct ask *q, unsigned n, const char *prefix)
{
	unsigned sent = 0, got = 0, accepted = 0;
	int64_t began = clock_mono_us();
	uint8_t buf[RADIUS_PACKET_MAX];
	struct radius_packet p;
	struct radius_view v;
	char name[64];

	while (got < n) {
		while (sent < n && sent - got < FLIGHT) {
			q->name_len =
				(size_t)snprintf(name, sizeof(name), "%s%u", prefix, sent % 977);
			q->name = name;
			if (packet_build(q, &p) || send_packet(&p))
				return fail("flood: cannot send");
			sent++;
		}
		if (receive(buf, &v))
			return fail(err_text());
		accepted += v.code == RADIUS_ACCESS_ACCEPT;
		got++;
	}
	printf("flooded=%u accepted=%u per_s=%.0f\n", got, accepted,
	       (double)got * 1e6 / (double)(clock_mono_us() - began));
	return 0;
}

static int raw(const char *hex)
{
	uint8_t buf[RADIUS_PACKET_MAX];
	const struct timeval patience = {.tv_sec = 1};
	struct radius_view v;
	size_t len;

	setsockopt(SSL_get_fd(tls), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	if (hex_decode(hex, sizeof(buf), buf, &len) || SSL_write(tls, buf, (int)len) != (int)len)
		return fail("raw");
	if (receive(buf, &v))
		return fail("no answer");
	answer_print(&v, 0);
	return 0;
}

static int command(char *word[8], int n)
{
	struct ask q = {.says = {.request_id = 7, .journal = {LOGIN_JOURNAL_ID, {42}}}};
	uint8_t name[4096], password[4096];
	int64_t took;

	if (n == 2 && !strcmp(word[0], "raw"))
		return raw(word[1]);
	if (n >= 3 && !strcmp(word[0], "contact")) {
		q.contact = true;
		q.says.tombstone = strtoull(word[1], NULL, 10);
		q.says.generation = strtoull(word[2], NULL, 10);
		if (n >= 6) {
			q.record = (struct login_record){.seq = strtoull(word[3], NULL, 10),
							 .at = clock_wall_ms()};
			snprintf(q.record.what, sizeof(q.record.what), "%s", word[4]);
			snprintf(q.record.user, sizeof(q.record.user), "%s", word[5]);
			snprintf(q.record.login_id, sizeof(q.record.login_id), "%s",
				 n > 6 ? word[6] : "");
		}
		return ask_once(&q, true, &took) < 0;
	}
	if (n == 4 && !strcmp(word[0], "journal")) {
		size_t at = 0;

		q.contact = true;
		q.says.journal.data[0] = (uint8_t)atoi(word[1]);
		q.record = (struct login_record){.at = clock_wall_ms(), .what = "login"};
		q.record.seq = strtoull(word[2], &word[2], 10);
		while (*word[2] == ',' && at < 8)
			q.more[at++] = strtoull(word[2] + 1, &word[2], 10);
		snprintf(q.record.user, sizeof(q.record.user), "%s", word[3]);
		return ask_once(&q, true, &took) < 0;
	}
	if (n < 3)
		return fail("command");
	q.name = word[1];
	q.name_len = strlen(word[1]);
	q.password = word[2];
	q.password_len = strlen(word[2]);
	if (!strcmp(word[0], "pin"))
		strcpy(q.says.method, "pin");
	if (!strcmp(word[0], "hex")) {
		if (hex_decode(word[1], sizeof(name), name, &q.name_len) ||
		    hex_decode(word[2], sizeof(password), password, &q.password_len))
			return fail("hex");
		q.name = name;
		q.password = password;
	}
	q.plain = !strcmp(word[0], "plain");
	if (!strcmp(word[0], "flood")) {
		q.password = "not-the-password";
		q.password_len = 16;
		return flood(&q, (unsigned)atoi(word[1]), word[2]);
	}
	if (!strcmp(word[0], "rate") && n == 5) {
		q.name = word[3];
		q.name_len = strlen(word[3]);
		q.password = word[4];
		q.password_len = strlen(word[4]);
		return rate(&q, atof(word[1]), (unsigned)atoi(word[2]));
	}
	if (!strcmp(word[0], "time") && n == 4) {
		q.name = word[2];
		q.name_len = strlen(word[2]);
		q.password = word[3];
		q.password_len = strlen(word[3]);
		return time_many(&q, (unsigned)atoi(word[1]));
	}
	return ask_once(&q, true, &took) < 0;
}

int main(int argc, char **argv)
{
	char line[16384];

	signal(SIGPIPE, SIG_IGN);
	setvbuf(stdout, NULL, _IOLBF, 0);
	if (argc != 4 && argc != 6) {
		fprintf(stderr, "radseclogin HOST:PORT TRUST NAME [CERT KEY]\n");
		return 64;
	}
	if (tls_open(argc, argv))
		return 1;
	while (fgets(line, sizeof(line), stdin)) {
		char *word[8], *save = NULL;
		int n = 0;

		for (char *w = strtok_r(line, " \n", &save); w && n < 8;
		     w = strtok_r(NULL, " \n", &save))
			word[n++] = w;
		if (n && command(word, n))
			return 1;
	}
	return 0;
}
