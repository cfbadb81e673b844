/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Owns the storm: slots that authenticate random pumps at random NAS, and the thread that revokes
 * or quarantines every pump once in a random order. Prints breaches and one JSON line; exit status
 * 0 when the history holds, 1 when it does not, 2 when too little happened for it to mean anything.
 */
#include <arpa/inet.h>
#include <err.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/secret.h"
#include "sql/client/registry_client.h"
#include "tests/races/races.h"

#define SLOTS (NAS_COUNT * SLOTS_PER_NAS)
#define TICK_MS 2
#define PAUSE_US 30000 /* of a slot, at most */
#define LEAD_US 700000 /* until the first order: there must be somebody on */
#define RETURNS 3      /* attempts of a pump right after it */
#define DRAIN_US (OFF_WITHIN_US + 300000)
#define RECEIPTS_WAIT_MS 8000
#define ORDER_TIMEOUT_MS 10000
#define PATIENCE_US 60000000 /* with a registryd that is killed */
#define AGAIN_US 50000
#define RESUME_PERCENT 60
#define TLS13_PERCENT 30
#define QUARANTINE_PERCENT 35

static const char usage[] =
	"usage: races --server ADDR:PORT --acct-port N --secret-file F --certs DIR --ca FILE\n"
	"             --registry SOCKET --net A.B.C --das-port N --seconds S [--seed N]\n"
	"             --quarantine-vlan N [--kill-children-of PID] [--recall-every N]\n"
	"With --recall-every each N-th pump that is revoked is revoked by a recall; two persons "
	"are "
	"not to be needed.\n"
	"NAS race-0 to race-4 are A.B.C.1 to A.B.C.5\n";

static struct {
	struct ward ward;
	struct history history;
	struct dice dice;
	struct credential_set certs[2];
	struct eap_slot slots[SLOTS];
	unsigned pump_of[SLOTS];
	bool slot_tls13[SLOTS];
	int64_t next_us[SLOTS];
	unsigned *order; /* in which pumps are revoked or quarantined */
	atomic_bool ordered_all, outages_over, receipts_read;
	unsigned breaches;
	const char *folder, *ca_file, *socket, *net;
	uint64_t seconds, seed, acct_port, das_port, recall_every;
	int epoll;
} run;

static void options_parse(int argc, char **argv)
{
	static const struct option options[] = {
		{"server", 1, NULL, 's'},
		{"acct-port", 1, NULL, 'A'},
		{"secret-file", 1, NULL, 'S'},
		{"certs", 1, NULL, 'd'},
		{"ca", 1, NULL, 'a'},
		{"registry", 1, NULL, 'r'},
		{"net", 1, NULL, 'n'},
		{"das-port", 1, NULL, 'D'},
		{"seconds", 1, NULL, 't'},
		{"seed", 1, NULL, 'x'},
		{"quarantine-vlan", 1, NULL, 'q'},
		{"kill-children-of", 1, NULL, 'k'},
		{"recall-every", 1, NULL, 'R'},
		{NULL, 0, NULL, 0},
	};
	struct radius_target *target = &run.ward.options[0].target;
	int o;

	while ((o = getopt_long(argc, argv, "", options, NULL)) != -1) {
		switch (o) {
		case 's':
			radius_target_parse(optarg, target);
			break;
		case 'A':
			run.acct_port = option_number(optarg, 65535);
			break;
		case 'S':
			radius_target_secret_read(optarg, target);
			break;
		case 'd':
			run.folder = optarg;
			break;
		case 'a':
			run.ca_file = optarg;
			break;
		case 'r':
			run.socket = optarg;
			break;
		case 'n':
			run.net = optarg;
			break;
		case 'D':
			run.das_port = option_number(optarg, 65535);
			break;
		case 't':
			run.seconds = option_number(optarg, 86400);
			break;
		case 'x':
			run.seed = option_number(optarg, UINT32_MAX);
			break;
		case 'q':
			run.history.quarantine_vlan = optarg;
			break;
		case 'k':
			run.history.outages.supervisor = (long)option_number(optarg, INT32_MAX);
			break;
		case 'R':
			run.recall_every = option_number(optarg, UINT32_MAX);
			break;
		default:
			errx(64, "%s", usage);
		}
	}
	if (!target->addr_len || !target->secret_len || !run.folder || !run.ca_file ||
	    !run.socket || !run.net || !run.das_port || !run.acct_port || !run.seconds ||
	    !run.history.quarantine_vlan || optind != argc)
		errx(64, "%s", usage);
}

/* ---- the person who orders it ---- */

static int order_ask(struct ipc_client *c, const struct pump *p, bool recall)
{
	struct standing_change quarantine = {.action = "quarantine", .reason = "race"};
	struct revoke revoke = {.reason = "race"};
	struct revocation receipt;

	snprintf(quarantine.device, sizeof(quarantine.device), "%s", p->tls[0]->identity);
	snprintf(revoke.device, sizeof(revoke.device), "%s", p->tls[0]->identity);
	if (p->quarantine)
		return registry_standing_change(c, &quarantine, &receipt, ORDER_TIMEOUT_MS);
	return recall ? race_recall(c, &revoke)
		      : registry_revoke(c, &revoke, &receipt, ORDER_TIMEOUT_MS);
}

/* Asks again while registryd is away: who revokes goes on until there is a receipt. */
static void order_one(struct ipc_client *c, const struct pump *p, bool recall)
{
	bool patient = run.history.outages.supervisor != 0;
	int64_t until_us = clock_mono_us() + PATIENCE_US;

	while (order_ask(c, p, recall)) {
		if (!patient || clock_mono_us() > until_us)
			errx(1, "%s %s: %s", p->quarantine ? "quarantine" : "revoke",
			     p->tls[0]->identity, err_text());
		usleep(AGAIN_US);
	}
}

static void *order_all(void *unused)
{
	AUTO_IPC_CLIENT c = NULL;
	struct history *h = &run.history;

	(void)unused;
	if (ipc_client_new(run.socket, "admin", &c))
		errx(1, "%s", err_text());
	usleep(LEAD_US);
	for (unsigned i = 0; i < h->n_pumps; i++) {
		struct pump *p = &h->pumps[run.order[i]];

		usleep((useconds_t)p->gap_us);
		p->asked_us = clock_mono_us();
		order_one(c, p, run.recall_every && i % run.recall_every == 0);
		p->done_us = clock_mono_us();
	}
	run.ordered_all = true;
	return NULL;
}

static void plan_make(void)
{
	struct history *h = &run.history;
	uint64_t mean_us = (run.seconds * 1000000 - LEAD_US) / h->n_pumps;

	run.order = calloc(h->n_pumps, sizeof(*run.order));
	if (!run.order)
		err(1, "plan");
	for (unsigned i = 0; i < h->n_pumps; i++) {
		unsigned j = dice_below(&run.dice, i + 1);

		run.order[i] = run.order[j];
		run.order[j] = i;
		h->pumps[i].gap_us = dice_below(&run.dice, (uint32_t)(2 * mean_us));
		h->pumps[i].returns = RETURNS;
		h->pumps[i].quarantine = dice_percent(&run.dice, QUARANTINE_PERCENT);
	}
}

/* ---- the storm ---- */

/* Who was just disconnected comes back at once, else anybody; n_pumps when nobody is free here. */
static unsigned pump_choose(unsigned nas)
{
	struct history *h = &run.history;
	unsigned from = dice_below(&run.dice, h->n_pumps);

	for (unsigned i = 0; i < h->n_pumps; i++) {
		struct pump *p = &h->pumps[i];

		if (p->returns && p->done_us && !p->busy[nas]) {
			p->returns--;
			return i;
		}
	}
	for (unsigned i = 0; i < h->n_pumps; i++) {
		unsigned at = (from + i) % h->n_pumps;

		if (!h->pumps[at].busy[nas])
			return at;
	}
	return h->n_pumps;
}

static void slot_start(unsigned i)
{
	unsigned nas = i % NAS_COUNT, at = pump_choose(nas);
	struct eap_slot *s = &run.slots[i];
	bool returning, resume, tls13;
	struct pump *p;

	if (at == run.history.n_pumps)
		return;
	p = &run.history.pumps[at];
	returning = p->done_us && p->returns < RETURNS && p->returns == RETURNS - 1;
	resume = returning || dice_percent(&run.dice, RESUME_PERCENT);
	tls13 = !(resume && p->session) && dice_percent(&run.dice, TLS13_PERCENT);
	SSL_SESSION_free(s->session);
	s->session = resume && !tls13 ? p->session : NULL;
	if (s->session)
		SSL_SESSION_up_ref(s->session);
	run.pump_of[i] = at;
	run.slot_tls13[i] = tls13;
	p->busy[nas] = true;
	eap_slot_begin(s, &run.ward.options[nas], p->tls[tls13]);
}

static void accepted(unsigned i)
{
	struct eap_slot *s = &run.slots[i];
	struct pump *p = &run.history.pumps[run.pump_of[i]];
	struct accept_note a = {.pump = run.pump_of[i],
				.nas = i % NAS_COUNT,
				.asked_us = s->asked_us,
				.got_us = clock_mono_us(),
				.resumed = s->resumed,
				.quarantined = !strcmp(s->vlan, run.history.quarantine_vlan)};

	history_accept(&run.history, &a);
	ward_admit(&run.ward, a.nas, a.pump, s);
	run.history.resumed += s->resumed;
	if (!run.slot_tls13[i] && s->session) {
		SSL_SESSION_free(p->session);
		p->session = s->session;
		s->session = NULL;
	}
}

static void slot_end(unsigned i)
{
	struct eap_slot *s = &run.slots[i];
	struct pump *p = &run.history.pumps[run.pump_of[i]];
	int64_t done = p->done_us;

	if (s->state == SLOT_ACCEPTED) {
		p->returned += p->quarantine && done && s->begun_us > done;
		accepted(i);
	} else if (s->state == SLOT_REJECTED) {
		run.history.rejects++;
		p->returned += !p->quarantine && done && s->begun_us > done;
	} else if (s->state == SLOT_LOST) {
		run.history.lost++;
	} else {
		run.history.broken++;
		printf("# %s: %s\n", p->tls[0]->identity, s->why);
	}
	p->busy[i % NAS_COUNT] = false;
	s->state = SLOT_IDLE;
	run.next_us[i] = clock_mono_us() + dice_below(&run.dice, PAUSE_US);
}

static void slot_turn(unsigned i, bool may_start)
{
	struct eap_slot *s = &run.slots[i];

	if (s->state != SLOT_IDLE && s->state != SLOT_WAITING)
		slot_end(i);
	if (s->state == SLOT_IDLE && may_start && run.next_us[i] <= clock_mono_us())
		slot_start(i);
}

/* One turn of everything that the NAS do. */
static void serve(bool may_start)
{
	struct epoll_event ready[64];
	int n = epoll_wait(run.epoll, ready, 64, TICK_MS);
	int64_t now = clock_mono_us();

	for (int i = 0; i < n; i++) {
		unsigned at = ready[i].data.u32;

		if (at >= SLOTS) {
			ward_das_hear(&run.ward, at - SLOTS);
			continue;
		}
		eap_slot_receive(&run.slots[at], &run.ward.options[at % NAS_COUNT]);
		slot_turn(at, may_start);
	}
	for (unsigned i = 0; i < SLOTS; i++) {
		eap_slot_tick(&run.slots[i], &run.ward.options[i % NAS_COUNT], now);
		slot_turn(i, may_start);
	}
	ward_tick(&run.ward, now);
}

static void *receipts_read(void *unused)
{
	(void)unused;
	/* those of a history that does not hold need not be waited for */
	run.breaches +=
		receipts_check(&run.history, run.socket, run.breaches ? 0 : RECEIPTS_WAIT_MS);
	run.receipts_read = true;
	return NULL;
}

static void *outages_wait(void *unused)
{
	(void)unused;
	outages_end(&run.history.outages);
	run.outages_over = true;
	return NULL;
}

static void in_thread(pthread_t *t, void *(*work)(void *))
{
	if (pthread_create(t, NULL, work, NULL))
		err(1, "thread");
}

/* Until everything is ordered, then as long as a session may still be on, then until the receipts
 * have been read. */
static void storm(void)
{
	pthread_t person, reader;
	int64_t end_us;

	outages_begin(&run.history.outages, run.seed);
	in_thread(&person, order_all);
	in_thread(&reader, outages_wait);
	while (!run.ordered_all || !run.outages_over)
		serve(true);
	pthread_join(person, NULL);
	pthread_join(reader, NULL);
	end_us = clock_mono_us() + DRAIN_US;
	while (clock_mono_us() < end_us)
		serve(clock_mono_us() < end_us - DRAIN_US / 2);
	run.breaches = history_check(&run.history, clock_mono_us());
	in_thread(&reader, receipts_read);
	while (!run.receipts_read)
		serve(false);
	pthread_join(reader, NULL);
}

static void listen_to(int fd, unsigned number)
{
	struct epoll_event e = {.events = EPOLLIN, .data.u32 = number};

	if (epoll_ctl(run.epoll, EPOLL_CTL_ADD, fd, &e))
		err(1, "epoll_ctl");
}

static void set_up(void)
{
	struct history *h = &run.history;

	run.dice.state = run.seed;
	credential_set_load(run.folder, run.ca_file, TLS1_2_VERSION, PUMPS_MAX, &run.certs[0]);
	credential_set_load(run.folder, run.ca_file, TLS1_3_VERSION, PUMPS_MAX, &run.certs[1]);
	h->n_pumps = (unsigned)run.certs[0].n;
	h->pumps = calloc(h->n_pumps, sizeof(*h->pumps));
	if (!h->pumps)
		err(1, "pumps");
	for (unsigned i = 0; i < h->n_pumps; i++)
		for (unsigned v = 0; v < 2; v++)
			h->pumps[i].tls[v] = &run.certs[v].all[i];
	plan_make();
	run.ward.history = h;
	run.ward.dice = &run.dice;
	run.ward.options[0].server_name = "radius-1.pumpgate.internal";
	run.ward.options[0].resume = true;
	run.ward.options[0].retry_us = 2000000;
	run.ward.options[0].tries = 3;
	ward_open(&run.ward, run.net, (uint16_t)run.das_port, (uint16_t)run.acct_port);
	run.epoll = epoll_create1(EPOLL_CLOEXEC);
	for (unsigned i = 0; i < SLOTS; i++) {
		/* session ids of another run must not come again */
		eap_slot_open(&run.slots[i], i, &run.ward.options[i % NAS_COUNT]);
		run.slots[i].sequence = (uint32_t)getpid() << 12;
		listen_to(run.slots[i].fd, i);
	}
	for (unsigned i = 0; i < NAS_COUNT; i++)
		listen_to(run.ward.das[i], SLOTS + i);
}

static void tear_down(void)
{
	for (unsigned i = 0; i < SLOTS; i++)
		eap_slot_close(&run.slots[i]);
	for (unsigned i = 0; i < run.history.n_pumps; i++)
		SSL_SESSION_free(run.history.pumps[i].session);
	ward_close(&run.ward);
	credential_set_done(&run.certs[0]);
	credential_set_done(&run.certs[1]);
	free(run.history.pumps);
	free(run.history.accepts);
	free(run.history.stays);
	free(run.order);
}

/* Every way to come back must have been tried, or the history proves little. */
static bool is_meaningful(const struct history *h)
{
	unsigned n[2] = {0, 0}, returned[2] = {0, 0}; /* revoked, quarantined */

	for (unsigned i = 0; i < h->n_pumps; i++) {
		n[h->pumps[i].quarantine]++;
		returned[h->pumps[i].quarantine] += h->pumps[i].returned > 0;
	}
	return h->n_accepts >= h->n_pumps && h->resumed > 0 && returned[0] * 2 > n[0] &&
	       returned[1] * 2 > n[1] && h->dropped > 0 &&
	       (h->outages.supervisor ? h->outages.n >= 3
				      : (h->lost + h->broken) * 20 < h->n_accepts);
}

int main(int argc, char **argv)
{
	struct history *h = &run.history;
	unsigned quarantines = 0;
	bool enough;

	options_parse(argc, argv);
	setvbuf(stdout, NULL, _IOLBF, 0);
	printf("# seed %llu\n", (unsigned long long)run.seed);
	set_up();
	storm();
	for (unsigned i = 0; i < h->n_pumps; i++)
		quarantines += h->pumps[i].quarantine;
	printf("{\"revocations\":%u,\"quarantines\":%u,\"accepts\":%zu,\"resumed\":%llu,"
	       "\"rejects\":%llu,"
	       "\"stays\":%zu,\"lost\":%llu,\"broken\":%llu,\"dropped\":%llu,\"breaches\":%u}\n",
	       h->n_pumps - quarantines, quarantines, h->n_accepts, (unsigned long long)h->resumed,
	       (unsigned long long)h->rejects, h->n_stays, (unsigned long long)h->lost,
	       (unsigned long long)h->broken, (unsigned long long)h->dropped, run.breaches);
	enough = is_meaningful(h);
	tear_down();
	return run.breaches ? 1 : enough ? 0 : 2;
}
