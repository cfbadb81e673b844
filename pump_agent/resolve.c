/* SPDX-License-Identifier: BSD-2-Clause */
/* Owns the question for a name. Never believes an answer: TLS proves who is there. */
#include "pump_agent/resolve.h"

#include <arpa/inet.h>
#include <string.h>

#include <event2/dns.h>
#include <event2/event.h>
#include <event2/util.h>

#include "base/clock.h"

struct question {
	struct event_base *base;
	struct evdns_base *dns;
	struct evdns_getaddrinfo_request *asked; /* NULL: answered */
	int error;
	struct resolve_list list;
};

static bool address_parse(const char *host, struct resolve_address *out)
{
	static const int families[] = {AF_INET, AF_INET6};

	for (size_t i = 0; i < 2; i++) {
		out->family = families[i];
		if (inet_pton(families[i], host, out->bytes) == 1)
			return true;
	}
	return false;
}

bool resolve_is_address(const char *host)
{
	struct resolve_address ignored;

	return address_parse(host, &ignored);
}

void resolve_text(const struct resolve_list *l, size_t i, char out[RESOLVE_TEXT_MAX])
{
	if (!inet_ntop(l->at[i].family, l->at[i].bytes, out, RESOLVE_TEXT_MAX))
		out[0] = '\0';
}

static void answered(int error, struct evutil_addrinfo *list, void *arg)
{
	struct question *q = arg;

	q->asked = NULL;
	q->error = error;
	for (const struct evutil_addrinfo *a = list; a && q->list.n < RESOLVE_MAX; a = a->ai_next) {
		struct resolve_address *to = &q->list.at[q->list.n];

		if (a->ai_family == AF_INET)
			memcpy(to->bytes, &((struct sockaddr_in *)a->ai_addr)->sin_addr, 4);
		else if (a->ai_family == AF_INET6)
			memcpy(to->bytes, &((struct sockaddr_in6 *)a->ai_addr)->sin6_addr, 16);
		else
			continue;
		to->family = a->ai_family;
		q->list.n++;
	}
	if (list)
		evutil_freeaddrinfo(list);
}

static void question_done(struct question *q)
{
	if (q->asked) { /* it hears that it ended */
		evdns_getaddrinfo_cancel(q->asked);
		(void)event_base_loop(q->base, EVLOOP_NONBLOCK);
	}
	if (q->dns)
		evdns_base_free(q->dns, 0);
	if (q->base)
		event_base_free(q->base);
}

/* Twice 1.5 s and no games with capitals, which some name servers do not repeat. */
static int question_ask(struct question *q, const char *host)
{
	const struct evutil_addrinfo wanted = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM};

	q->base = event_base_new();
	q->dns = q->base ? evdns_base_new(q->base, 0) : NULL;
	if (!q->dns)
		return err_set(ERR_NOMEM, "no memory for a name");
	(void)evdns_base_resolv_conf_parse(q->dns, DNS_OPTIONS_ALL, "/etc/resolv.conf");
	(void)evdns_base_set_option(q->dns, "randomize-case:", "0");
	(void)evdns_base_set_option(q->dns, "timeout:", "1.5");
	(void)evdns_base_set_option(q->dns, "attempts:", "2");
	q->error = EVUTIL_EAI_AGAIN;
	q->asked = evdns_getaddrinfo(q->dns, host, NULL, &wanted, answered, q);
	return 0;
}

int resolve_name(const char *host, int64_t deadline_us, const atomic_bool *stop,
		 struct resolve_list *out)
{
	__attribute__((cleanup(question_done))) struct question q = {0};
	static const struct timeval pause = {0, 100000};
	int rc;

	if (address_parse(host, &out->at[0])) {
		out->n = 1;
		return 0;
	}
	rc = question_ask(&q, host);
	while (!rc && q.asked && clock_mono_us() < deadline_us && !(stop && atomic_load(stop))) {
		(void)event_base_loopexit(q.base, &pause);
		(void)event_base_dispatch(q.base);
	}
	if (rc)
		return rc;
	if (q.list.n == 0)
		return err_set(ERR_UNAVAILABLE, "cannot resolve %s: %s", host,
			       q.error == EVUTIL_EAI_NONAME ? "there is no such name"
							    : "no name server answered");
	*out = q.list;
	return 0;
}
