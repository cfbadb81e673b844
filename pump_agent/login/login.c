/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Owns the thread of logins and the two mailboxes between it and the loop. What is in a mailbox is
 * under the lock; the desk is the thread's alone.
 */
#include "pump_agent/login/login.h"

#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <event2/event.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/secret.h"
#include "pump_agent/login/address.h"

#define CONTACT_MS 60000
#define CONTACT_FIRST_MS 2000 /* after a failure; doubles up to CONTACT_MS */
#define SOON_MS 200	      /* what there is to tell, or a network that has just come */
#define KEEP_AGE_MS 600000    /* so often the passing of time itself is kept */

/* Who is logged in; one, as at the controller. */
struct session {
	uint32_t request; /* 0: nobody */
	struct desk_entry entry;
	bool is_offline;
};

struct identity_box {
	bool is_new;
	struct pump_settings settings;
	EVP_PKEY *key;
	X509 *cert;
};

struct login {
	const struct store *store;
	struct login_calls calls;
	pthread_t thread;
	bool has_thread;
	int wake_fd; /* to the thread: look into the box; readable until it has */
	int stop_fd; /* to the thread: the agent stops */
	int done_fd; /* to the loop */
	struct event *done;
	pthread_mutex_t lock;

	/* under the lock, to the thread */
	bool is_stopping;
	bool network_came;
	struct pumplink_request request; /* id 0: none */
	struct identity_box identity;
	uint32_t ended; /* 0: none */
	enum pumplink_end ended_why;
	/* under the lock, to the loop */
	uint32_t answered; /* 0: none */
	struct pumplink_answer answer;
	uint32_t end; /* 0: none */
	struct login_standing standing;
	bool has_changed;

	/* the thread's */
	struct desk desk;
	struct chip *chip; /* NULL: none */
	STACK_OF(X509) * anchors;
	struct identity_box current;
	struct session session;
	int64_t contact_us;
	int64_t contact_pause_ms;
	int64_t kept_us;
	char noticed[64];
};

static void signal_fd(int fd)
{
	uint64_t one = 1;
	ssize_t n = write(fd, &one, sizeof(one)); /* cannot fail: the count stays small */

	(void)n;
}

static void drain_fd(int fd)
{
	uint64_t count;
	ssize_t n = read(fd, &count, sizeof(count));

	(void)n;
}

/* ---- on the thread ---- */

static void contact_in(struct login *l, int64_t ms)
{
	l->contact_us = clock_mono_us() + ms * 1000;
}

static void standing_publish(struct login *l)
{
	const struct offline *o = l->desk.vault ? &l->desk.vault->offline : NULL;
	struct age_now now = desk_now();
	struct login_standing s = {
		.is_configured = l->desk.server.name != NULL,
		.ways = desk_ways(&l->desk),
		.answered_ms = l->desk.answered_ms,
		.n_people = o ? o->head.n_people : 0,
		.n_records = o ? o->head.n_records : 0,
		.is_clock_set_back = o && o->age.is_set_back,
	};

	for (uint32_t i = 0; o && i < o->head.n_codes; i++)
		s.n_codes += offline_code_is_good(o, &now, i);
	memcpy(s.noticed, l->noticed, sizeof(s.noticed));
	if (l->chip && l->desk.vault)
		snprintf(s.tpm, sizeof(s.tpm), "%s",
			 *l->desk.vault->chip_why ? l->desk.vault->chip_why : "good");
	pthread_mutex_lock(&l->lock);
	if (memcmp(&l->standing, &s, sizeof(s))) {
		l->standing = s;
		l->has_changed = true;
		signal_fd(l->done_fd);
	}
	pthread_mutex_unlock(&l->lock);
}

static void session_end(struct login *l)
{
	pthread_mutex_lock(&l->lock);
	l->end = l->session.request;
	pthread_mutex_unlock(&l->lock);
	signal_fd(l->done_fd);
}

/* Somebody whose tombstone came is logged in here. */
static void gone_look(struct login *l)
{
	bool gone = l->desk.is_gone_overrun;

	for (size_t i = 0; i < l->desk.n_gone; i++)
		gone = gone || !strcmp(l->desk.gone[i].user, l->session.entry.user);
	l->desk.n_gone = 0;
	l->desk.is_gone_overrun = false;
	if (gone && l->session.request)
		session_end(l);
}

/* Writes down that whoever is logged in is so no longer. */
static void session_over(struct login *l, const char *why)
{
	if (!l->session.request)
		return;
	if (desk_note_end(&l->desk, &l->session.entry, l->session.is_offline, why))
		LOG(LOG_WARN, "login.end_not_kept", LOG_S("why", err_text()));
	memset(&l->session, 0, sizeof(l->session));
	contact_in(l, SOON_MS);
}

static void login_run(struct login *l, struct pumplink_request *rq)
{
	struct desk_entry entry;
	struct pumplink_answer answer;

	radsec_watch(l->desk.radsec, l->stop_fd);
	desk_login(&l->desk, rq, &answer, &entry);
	if (answer.result == PUMPLINK_OK) {
		l->desk.n_gone = 0; /* who was logged in goes anyway */
		l->desk.is_gone_overrun = false;
		session_over(l, "replaced");
		l->session = (struct session){rq->id, entry, answer.is_offline};
	}
	gone_look(l);
	pthread_mutex_lock(&l->lock);
	l->answer = answer;
	l->answered = rq->id;
	pthread_mutex_unlock(&l->lock);
	signal_fd(l->done_fd);
	/* the person is in: now there is time */
	if (answer.result == PUMPLINK_OK && desk_remember(&l->desk, rq, &entry))
		LOG(LOG_WARN, "login.not_remembered", LOG_S("why", err_text()));
	pumplink_request_wipe(rq);
	if (answer.is_offline)
		contact_in(l, SOON_MS);
}

static void contact_run(struct login *l)
{
	int rc;

	radsec_watch(l->desk.radsec, l->wake_fd); /* a login comes first */
	rc = desk_contact(&l->desk);
	gone_look(l);
	if (rc == ERR_CONFLICT) { /* for something else to do */
		contact_in(l, SOON_MS);
		return;
	}
	if (rc == ERR_BUSY || !rc) {
		l->contact_pause_ms = 0;
		contact_in(l, rc ? 0 : CONTACT_MS);
		return;
	}
	l->contact_pause_ms = l->contact_pause_ms ? 2 * l->contact_pause_ms : CONTACT_FIRST_MS;
	if (l->contact_pause_ms > CONTACT_MS)
		l->contact_pause_ms = CONTACT_MS;
	contact_in(l, l->contact_pause_ms);
}

static void box_drop(struct identity_box *b)
{
	EVP_PKEY_free(b->key);
	X509_free(b->cert);
	memset(b, 0, sizeof(*b));
}

static int server_set(struct login *l)
{
	struct identity_box *b = &l->current;
	struct radsec_server *s = &l->desk.server;
	int rc;

	radsec_close(l->desk.radsec);
	memset(s, 0, sizeof(*s));
	sk_X509_pop_free(l->anchors, X509_free);
	l->anchors = NULL;
	if (!*b->settings.login_address)
		return 0; /* a bundle from before, or a hospital without it */
	rc = store_anchors_read(l->store, &b->settings, ANCHORS_SERVER, &l->anchors);
	rc = rc ? rc
		: radsec_address_parse(b->settings.login_address, &s->address, &s->address_len);
	if (rc)
		return rc;
	s->name = b->settings.login_name;
	s->anchors = l->anchors;
	s->key = b->key;
	s->cert = b->cert;
	contact_in(l, SOON_MS);
	return 0;
}

static void notice(struct login *l, const char *noticed)
{
	LOG(LOG_ERROR, "login.rolled_back", LOG_S("noticed_by", "pump"), LOG_S("what", noticed));
	snprintf(l->noticed, sizeof(l->noticed), "%s", noticed);
}

/* Before anybody is believed, and again while the TPM could not be asked. */
static void seal_look(struct login *l)
{
	struct age_now now = desk_now();
	const char *noticed = NULL;

	if (vault_seal_look(l->desk.vault, &now, &noticed))
		LOG(LOG_ERROR, "login.not_kept", LOG_S("why", err_text()));
	if (noticed)
		notice(l, noticed);
}

static void vault_take(struct login *l)
{
	const char *pump = l->current.settings.pump;
	struct age_now now = desk_now();
	const char *noticed = NULL;

	if (l->desk.vault && !strcmp(l->desk.vault->offline.head.pump, pump))
		return;
	vault_close(l->desk.vault);
	l->desk.vault = NULL;
	l->noticed[0] = '\0';
	if (vault_open(l->store, pump, &now, &l->desk.vault, &noticed))
		LOG(LOG_ERROR, "login.no_store", LOG_S("why", err_text()));
	if (noticed)
		notice(l, noticed);
	if (!l->desk.vault || !l->chip)
		return;
	vault_chip_set(l->desk.vault, l->chip);
	seal_look(l);
}

static void identity_take(struct login *l, struct identity_box *box)
{
	radsec_close(l->desk.radsec); /* which looks at what goes now */
	box_drop(&l->current);
	l->current = *box;
	vault_take(l);
	if (server_set(l)) {
		LOG(LOG_ERROR, "login.no_server", LOG_S("why", err_text()));
		memset(&l->desk.server, 0, sizeof(l->desk.server));
	}
}

static void ended_take(struct login *l, uint32_t request, enum pumplink_end why)
{
	static const char *const names[] = {
		[PUMPLINK_END_NONE] = "?",
		[PUMPLINK_END_LOGOUT] = "logout",
		[PUMPLINK_END_IDLE] = "idle",
		[PUMPLINK_END_EXPIRED] = "expired",
		[PUMPLINK_END_REPLACED] = "replaced",
		[PUMPLINK_END_AGENT] = "ended",
	};

	if (request && request == l->session.request)
		session_over(l, (unsigned)why <= PUMPLINK_END_AGENT ? names[why] : "?");
}

/* Entries die by time, and that time passes is kept now and then. */
static void time_pass(struct login *l)
{
	struct age_now now = desk_now();
	bool changed;

	if (!l->desk.vault)
		return;
	seal_look(l);
	changed = offline_tick(&l->desk.vault->offline, &now);
	if (!changed && (!l->desk.vault->offline.head.n_people ||
			 clock_mono_us() - l->kept_us < (int64_t)KEEP_AGE_MS * 1000))
		return;
	l->kept_us = clock_mono_us();
	if (vault_keep(l->desk.vault))
		LOG(LOG_ERROR, "login.not_kept", LOG_S("why", err_text()));
}

static void wait_for_work(struct login *l)
{
	struct pollfd fds[] = {{l->wake_fd, POLLIN, 0}, {l->stop_fd, POLLIN, 0}};
	int64_t wait_ms = (l->contact_us - clock_mono_us()) / 1000;

	wait_ms = l->desk.server.name && wait_ms < CONTACT_MS ? wait_ms : CONTACT_MS;
	if (poll(fds, 2, wait_ms > 0 ? (int)wait_ms : 0) > 0 && fds[0].revents)
		drain_fd(l->wake_fd);
}

static void *thread_main(void *arg)
{
	struct login *l = arg;

	for (;;) {
		struct pumplink_request rq = {0};
		struct identity_box box = {0};
		enum pumplink_end why;
		uint32_t ended;
		bool came, stop;

		wait_for_work(l);
		pthread_mutex_lock(&l->lock);
		stop = l->is_stopping;
		rq = l->request;
		pumplink_request_wipe(&l->request);
		memset(&l->request, 0, sizeof(l->request));
		box = l->identity;
		memset(&l->identity, 0, sizeof(l->identity));
		ended = l->ended;
		why = l->ended_why;
		l->ended = 0;
		came = l->network_came;
		l->network_came = false;
		pthread_mutex_unlock(&l->lock);
		if (stop) {
			box_drop(&box);
			pumplink_request_wipe(&rq);
			break;
		}
		if (box.is_new)
			identity_take(l, &box);
		ended_take(l, ended, why);
		time_pass(l);
		if (came)
			contact_in(l, SOON_MS);
		if (rq.id)
			login_run(l, &rq);
		else if (l->desk.server.name && clock_mono_us() >= l->contact_us)
			contact_run(l);
		standing_publish(l);
	}
	radsec_close(l->desk.radsec);
	OPENSSL_thread_stop();
	return NULL;
}

/* ---- on the loop ---- */

static void collect(evutil_socket_t fd, short what, void *arg)
{
	struct login *l = arg;
	struct pumplink_answer answer;
	uint32_t answered, end;
	bool changed;

	(void)what;
	drain_fd(fd);
	pthread_mutex_lock(&l->lock);
	answered = l->answered;
	answer = l->answer;
	end = l->end;
	changed = l->has_changed;
	l->answered = 0;
	l->end = 0;
	l->has_changed = false;
	pthread_mutex_unlock(&l->lock);
	if (answered)
		l->calls.answer(l->calls.ctx, answered, &answer);
	if (end)
		l->calls.end(l->calls.ctx, end);
	if (changed)
		l->calls.changed(l->calls.ctx);
}

static int login_set_up(struct event_base *base, struct login *l)
{
	int rc = radsec_new(&l->desk.radsec);

	l->wake_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	l->stop_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	l->done_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	if (rc)
		return rc;
	if (l->wake_fd < 0 || l->stop_fd < 0 || l->done_fd < 0)
		return err_errno(ERR_IO, "eventfd");
	l->done = event_new(base, l->done_fd, EV_READ | EV_PERSIST, collect, l);
	if (!l->done || event_add(l->done, NULL) ||
	    pthread_create(&l->thread, NULL, thread_main, l))
		return err_set(ERR_NOMEM, "no memory for logins");
	l->has_thread = true;
	return 0;
}

int login_new(struct event_base *base, const struct store *store, struct chip *chip,
	      const struct login_calls *calls, struct login **out)
{
	struct login *l = calloc(1, sizeof(*l));
	int rc;

	if (!l) {
		chip_free(chip);
		return err_set(ERR_NOMEM, "no memory for logins");
	}
	l->store = store;
	l->chip = chip;
	l->calls = *calls;
	pthread_mutex_init(&l->lock, NULL);
	rc = login_set_up(base, l);
	if (rc) {
		login_free(l);
		return rc;
	}
	*out = l;
	return 0;
}

static void fd_close(int fd)
{
	if (fd >= 0)
		close(fd);
}

void login_free(struct login *l)
{
	if (!l)
		return;
	if (l->has_thread) {
		pthread_mutex_lock(&l->lock);
		l->is_stopping = true;
		pthread_mutex_unlock(&l->lock);
		signal_fd(l->stop_fd);
		signal_fd(l->wake_fd);
		pthread_join(l->thread, NULL);
	}
	if (l->done)
		event_free(l->done);
	fd_close(l->wake_fd);
	fd_close(l->stop_fd);
	fd_close(l->done_fd);
	radsec_free(l->desk.radsec);
	vault_close(l->desk.vault);
	chip_free(l->chip);
	sk_X509_pop_free(l->anchors, X509_free);
	box_drop(&l->current);
	box_drop(&l->identity);
	pumplink_request_wipe(&l->request);
	pthread_mutex_destroy(&l->lock);
	free(l);
}

int login_identity_set(struct login *l, const struct login_identity *who)
{
	struct identity_box box = {.is_new = true, .settings = *who->settings};

	if (!EVP_PKEY_up_ref(who->key))
		return err_ossl(ERR_NOMEM, "key");
	box.key = who->key;
	if (!X509_up_ref(who->cert)) {
		box_drop(&box);
		return err_ossl(ERR_NOMEM, "certificate");
	}
	box.cert = who->cert;
	pthread_mutex_lock(&l->lock);
	box_drop(&l->identity);
	l->identity = box;
	pthread_mutex_unlock(&l->lock);
	signal_fd(l->wake_fd);
	return 0;
}

void login_network(struct login *l, bool is_up)
{
	pthread_mutex_lock(&l->lock);
	l->network_came = is_up;
	pthread_mutex_unlock(&l->lock);
	signal_fd(l->wake_fd);
}

void login_begin(struct login *l, const struct pumplink_request *rq)
{
	pthread_mutex_lock(&l->lock);
	l->request = *rq;
	pthread_mutex_unlock(&l->lock);
	signal_fd(l->wake_fd);
}

void login_ended(struct login *l, uint32_t request, enum pumplink_end why)
{
	pthread_mutex_lock(&l->lock);
	l->ended = request;
	l->ended_why = why;
	pthread_mutex_unlock(&l->lock);
	signal_fd(l->wake_fd);
}

struct login_standing login_standing(struct login *l)
{
	struct login_standing s;

	pthread_mutex_lock(&l->lock);
	s = l->standing;
	pthread_mutex_unlock(&l->lock);
	return s;
}
