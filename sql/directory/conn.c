/* SPDX-License-Identifier: BSD-2-Clause */
/* Owns a connection's making: TCP, TLS, its deadline. Never sends a password. */
#include "sql/directory/conn_state.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <openldap.h>

#include "base/clock.h"

#define MESSAGE_MAX (1UL << 20) /* bytes of one message from the server */

static int wait_ms(int64_t until_us)
{
	int64_t left = (until_us - clock_mono_us() + 999) / 1000;

	return left <= 0 ? 0 : left > 60000 ? 60000 : (int)left;
}

static int address_try(const struct addrinfo *a, int64_t until_us, int *fd_out)
{
	int fd =
		socket(a->ai_family, a->ai_socktype | SOCK_CLOEXEC | SOCK_NONBLOCK, a->ai_protocol);
	struct pollfd ready = {.fd = fd, .events = POLLOUT};
	int one = 1, error = 0;
	socklen_t len = sizeof(error);
	int rc = 0;

	if (fd < 0)
		return err_errno(ERR_UNAVAILABLE, "socket");
	if (connect(fd, a->ai_addr, a->ai_addrlen) && errno != EINPROGRESS)
		rc = err_errno(ERR_UNAVAILABLE, "connect");
	else if (poll(&ready, 1, wait_ms(until_us)) != 1)
		rc = err_set(ERR_TIMEOUT, "connect: no answer in time");
	else if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &len) || error) {
		errno = error ? error : errno;
		rc = err_errno(ERR_UNAVAILABLE, "connect");
	} else if (fcntl(fd, F_SETFL, 0))
		rc = err_errno(ERR_IO, "fcntl");
	if (rc) {
		close(fd);
		return rc;
	}
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	*fd_out = fd;
	return 0;
}

static int server_connect(const struct ldap_address *server, int64_t until_us, int *fd_out)
{
	const struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICSERV};
	struct addrinfo *list;
	int rc = getaddrinfo(server->host, server->port, &hints, &list);

	if (rc)
		return err_set(ERR_UNAVAILABLE, "%s: %s", server->host, gai_strerror(rc));
	rc = ERR_UNAVAILABLE;
	for (const struct addrinfo *a = list; a && rc; a = a->ai_next)
		rc = address_try(a, until_us, fd_out);
	freeaddrinfo(list);
	return rc;
}

/* libldap would connect anew by itself when a connection broke: without TLS, and past our checks.
 */
static int connect_refuse(LDAP *ld, Sockbuf *sb, LDAPURLDesc *srv, struct sockaddr *addr,
			  struct ldap_conncb *ctx)
{
	(void)ld, (void)sb, (void)srv, (void)addr, (void)ctx;
	return -1;
}

static void connect_gone(LDAP *ld, Sockbuf *sb, struct ldap_conncb *ctx)
{
	(void)ld, (void)sb, (void)ctx;
}

static struct ldap_conncb never_again = {.lc_add = connect_refuse, .lc_del = connect_gone};

/* Everything that ldap.conf(5) or the environment could have set is set here. */
static int options_set(LDAP *ld, const struct directory_settings *s)
{
	const int version = LDAP_VERSION3, demand = LDAP_OPT_X_TLS_DEMAND,
		  tls12 = LDAP_OPT_X_TLS_PROTOCOL_TLS1_2, client = 0, none = 0;
	const struct timeval net = {.tv_sec = s->connect_ms / 1000,
				    .tv_usec = s->connect_ms % 1000 * 1000};
	const struct {
		int option;
		const void *value;
	} options[] = {
		{LDAP_OPT_PROTOCOL_VERSION, &version},
		{LDAP_OPT_REFERRALS, LDAP_OPT_OFF},
		{LDAP_OPT_RESTART, LDAP_OPT_ON},
		{LDAP_OPT_DEREF, &none},
		{LDAP_OPT_SIZELIMIT, &none},
		{LDAP_OPT_TIMELIMIT, &none},
		{LDAP_OPT_NETWORK_TIMEOUT, &net},
		{LDAP_OPT_CONNECT_CB, &never_again},
		{LDAP_OPT_X_TLS_CACERTDIR, NULL},
		{LDAP_OPT_X_TLS_CACERTFILE, s->ca_file},
		{LDAP_OPT_X_TLS_CERTFILE, NULL},
		{LDAP_OPT_X_TLS_KEYFILE, NULL},
		{LDAP_OPT_X_TLS_PROTOCOL_MIN, &tls12},
		{LDAP_OPT_X_TLS_REQUIRE_CERT, &demand},
		{LDAP_OPT_X_TLS_REQUIRE_SAN, &demand},
		{LDAP_OPT_X_TLS_NEWCTX, &client}, /* last: reads the files */
	};
	ber_len_t most = MESSAGE_MAX;
	Sockbuf *sb = NULL;

	for (size_t i = 0; i < sizeof(options) / sizeof(options[0]); i++)
		if (ldap_set_option(ld, options[i].option, options[i].value))
			return options[i].option == LDAP_OPT_X_TLS_NEWCTX
				       ? err_set(ERR_CRYPTO, "%.200s: no CA certificates in PEM",
						 s->ca_file)
				       : err_set(ERR_CRYPTO, "libldap has no option 0x%x",
						 (unsigned)options[i].option);
	if (ldap_get_option(ld, LDAP_OPT_SOCKBUF, &sb) ||
	    ber_sockbuf_ctrl(sb, LBER_SB_OPT_SET_MAX_INCOMING, &most) != 1)
		return err_set(ERR_CRYPTO, "libldap takes no bound for messages");
	return 0;
}

/* Asked of the connection itself, not believed. */
static int tls_check(LDAP *ld)
{
	char *version = NULL;
	int rc = 0;

	if (!ldap_tls_inplace(ld) || ldap_get_option(ld, LDAP_OPT_X_TLS_VERSION, &version) ||
	    !version)
		rc = err_set(ERR_CRYPTO, "the connection has no TLS");
	else if (!strstr(version, "1.2") && !strstr(version, "1.3"))
		rc = err_set(ERR_CRYPTO, "%.20s is too old", version);
	ldap_memfree(version);
	return rc;
}

static int tls_start(struct conn *c)
{
	int code = LDAP_SUCCESS, id, rc = 0;
	LDAPMessage *answer = NULL;

	if (!c->server->tls_first) {
		rc = conn_sent(c, ldap_start_tls(c->ld, NULL, NULL, &id));
		if (!rc)
			rc = conn_answer(c, id, LDAP_MSG_ALL, &answer);
		if (!rc && (ldap_parse_result(c->ld, answer, &code, NULL, NULL, NULL, NULL, 1) ||
			    code != LDAP_SUCCESS))
			rc = err_set(ERR_CRYPTO, "the server offers no StartTLS: %s",
				     ldap_err2string(code));
	}
	if (rc)
		return rc;
	code = ldap_install_tls(c->ld);
	if (code != LDAP_SUCCESS) {
		char *why = NULL;

		ldap_get_option(c->ld, LDAP_OPT_DIAGNOSTIC_MESSAGE, &why);
		rc = clock_mono_us() >= c->until_us
			     ? err_set(ERR_TIMEOUT, "TLS: no answer in time")
			     : err_set(ERR_CRYPTO, "TLS: %.150s",
				       why && *why ? why : ldap_err2string(code));
		ldap_memfree(why);
		return rc;
	}
	return tls_check(c->ld);
}

int conn_open(const struct directory_settings *s, const struct ldap_address *server,
	      struct watch *w, int64_t until_us, struct conn **out)
{
	AUTO_CONN c = calloc(1, sizeof(*c));
	int fd, rc;

	if (!c)
		return err_set(ERR_NOMEM, "no memory for a connection");
	*c = (struct conn){.server = server,
			   .watch = w,
			   .slot = -1,
			   .fd = -1,
			   .until_us = until_us,
			   .answer_ms = s->answer_ms};
	rc = server_connect(server, until_us, &fd);
	if (rc)
		return rc;
	rc = watch_add(w, fd, until_us, &c->slot);
	if (!rc && ldap_init_fd(fd, LDAP_PROTO_TCP, server->url, &c->ld))
		rc = err_set(ERR_NOMEM, "libldap can't be started");
	if (!c->ld)
		close(fd);
	else
		c->fd = fd;
	if (!rc)
		rc = options_set(c->ld, s);
	if (!rc)
		rc = tls_start(c);
	if (rc)
		return rc;
	*out = c;
	c = NULL;
	return 0;
}

void conn_close(struct conn *c)
{
	if (!c)
		return;
	if (c->ld) {
		if (c->slot >= 0) /* what is written at the end may block for a second at most */
			watch_move(c->watch, c->slot, clock_mono_us() + 1000000);
		ldap_unbind_ext(c->ld, NULL, NULL);
	}
	if (c->slot >= 0)
		watch_remove(c->watch, c->slot);
	free(c);
}

void conn_limit(struct conn *c, int64_t until_us)
{
	c->until_us = until_us;
	watch_move(c->watch, c->slot, until_us);
}

bool conn_is_stale(const struct conn *c)
{
	struct pollfd any = {.fd = c->fd, .events = POLLIN};

	return poll(&any, 1, 0) != 0;
}
