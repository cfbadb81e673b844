/* SPDX-License-Identifier: BSD-2-Clause */
/* radiusd's link to a registry that hangs, dies and comes back. */
#include "tests/unit/radius_modules/link_registry.h"

#include <pthread.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "radius_modules/rlm_pump/standing_view.h"
#include "sql/proto/standing_map.h"

static void a_hanging_registry_costs_one_timeout_and_then_nothing(void **state)
{
	struct registry_link *l = link_up();
	int64_t took_ms;

	(void)state;
	kill(registry, SIGSTOP);
	assert_int_not_equal(ask(l, &took_ms), 0);
	assert_in_range(took_ms, LINK_FACTS_MS - 10, 4 * LINK_FACTS_MS);
	for (int i = 0; i < 100; i++) {
		assert_int_equal(ask(l, &took_ms), ERR_UNAVAILABLE);
		assert_true(took_ms < LINK_FACTS_MS / 2);
	}
	kill(registry, SIGCONT);
	usleep((LINK_PAUSE_MS + 50) * 1000);
	assert_int_equal(ask(l, &took_ms), 0);
	registry_link_free(l);
}

/* The VLAN of the pump that the map lists; 0: there was no answer. */
static uint32_t vlan_of_listed(struct registry_link *l)
{
	const struct cert_name q = {"/CN=ca", "0b"};
	struct pump_facts f = {0};

	return registry_link_pump_facts(l, &q, &f) ? 0 : f.vlan;
}

static bool becomes(struct registry_link *l, uint32_t vlan)
{
	for (int i = 0; i < 500; i++) {
		if (vlan_of_listed(l) == vlan)
			return true;
		usleep(10000);
	}
	return false;
}

static void the_map_is_believed_only_while_its_registry_lives(void **state)
{
	struct registry_link *l = link_up();

	(void)state;
	assert_true(becomes(l, 121));
	kill(registry, SIGSTOP);
	usleep(STANDING_LEASE_US + 10000);
	assert_int_equal(vlan_of_listed(l), 0);
	kill(registry, SIGCONT);
	assert_true(becomes(l, 121));
	registry_kill();
	usleep(STANDING_LEASE_US + 10000);
	assert_int_equal(vlan_of_listed(l), 0);
	registry_start();
	assert_true(becomes(l, 120)); /* it is asked, and then gives its map */
	assert_true(becomes(l, 121));
	registry_link_free(l);
}

static void memory_that_could_shrink_is_not_mapped(void **state)
{
	struct registry_link *l;

	(void)state;
	registry_kill();
	sealed = false;
	registry_start();
	sealed = true;
	l = link_up();
	for (int i = 0; i < 12; i++) {
		assert_int_equal(vlan_of_listed(l), 120);
		usleep(VIEW_EVERY_US / 10);
	}
	registry_link_free(l);
}

struct asker {
	struct registry_link *l;
	int64_t took_ms;
	int rc;
};

static void *ask_in_thread(void *arg)
{
	struct asker *a = arg;

	a->rc = ask(a->l, &a->took_ms);
	return NULL;
}

/* After the pause one of many threads tries again; the others do not wait behind it. */
static void only_one_thread_tries_a_hanging_registry_again(void **state)
{
	struct asker askers[16];
	pthread_t threads[16];
	struct registry_link *l = link_up();
	int64_t took_ms;
	int waited = 0;

	(void)state;
	kill(registry, SIGSTOP);
	assert_int_not_equal(ask(l, &took_ms), 0);
	usleep((LINK_PAUSE_MS + 50) * 1000);
	for (int i = 0; i < 16; i++) {
		askers[i] = (struct asker){.l = l};
		assert_int_equal(pthread_create(&threads[i], NULL, ask_in_thread, &askers[i]), 0);
	}
	for (int i = 0; i < 16; i++) {
		pthread_join(threads[i], NULL);
		assert_int_not_equal(askers[i].rc, 0);
		waited += askers[i].took_ms >= LINK_FACTS_MS - 10;
	}
	assert_int_equal(waited, 1);
	kill(registry, SIGCONT);
	registry_link_free(l);
}

static void a_restarted_registry_is_used_at_the_next_question(void **state)
{
	struct registry_link *l = link_up();
	int64_t took_ms;

	(void)state;
	registry_kill();
	assert_int_equal(ask(l, &took_ms), ERR_UNAVAILABLE);
	assert_true(took_ms < 100);
	registry_start();
	assert_int_equal(ask(l, &took_ms), 0);
	registry_link_free(l);
}

struct accountant {
	struct registry_link *l;
	int64_t took_ms;
	int rc;
};

static void *account_in_thread(void *arg)
{
	struct accountant *a = arg;
	struct acct_event e = {.at = 1};
	int64_t start = clock_mono_us();

	a->rc = registry_link_acct_event(a->l, &e);
	a->took_ms = (clock_mono_us() - start) / 1000;
	return NULL;
}

#define ACCOUNTANTS 32
static void account_at_once(struct registry_link *l, struct accountant *out)
{
	pthread_t threads[ACCOUNTANTS];

	for (int i = 0; i < ACCOUNTANTS; i++) {
		out[i] = (struct accountant){.l = l};
		assert_int_equal(pthread_create(&threads[i], NULL, account_in_thread, &out[i]), 0);
	}
	for (int i = 0; i < ACCOUNTANTS; i++)
		pthread_join(threads[i], NULL);
}

static void a_burst_of_accounting_is_answered_while_commits_are_quick(void **state)
{
	struct registry_link *l = link_up();
	struct accountant a[ACCOUNTANTS];

	(void)state;
	for (int round = 0; round < 3; round++) {
		account_at_once(l, a);
		for (int i = 0; i < ACCOUNTANTS; i++)
			assert_int_equal(a[i].rc, 0);
	}
	registry_link_free(l);
}

/* Eight wait their full time; the others are back soon to serve authentication, and after the first
 * slow answer they don't wait at all. */
static void slow_accounting_holds_few_threads(void **state)
{
	struct registry_link *l = link_up();
	struct accountant a[ACCOUNTANTS];
	int long_waits = 0, busy = 0;

	(void)state;
	kill(registry, SIGSTOP);
	account_at_once(l, a);
	for (int i = 0; i < ACCOUNTANTS; i++) {
		assert_int_not_equal(a[i].rc, 0);
		long_waits += a[i].took_ms >= LINK_ACCT_MS / 2;
	}
	assert_in_range(long_waits, 1, LINK_ACCT_MAX);
	account_at_once(l, a);
	for (int i = 0; i < ACCOUNTANTS; i++)
		busy += a[i].rc == ERR_BUSY;
	assert_in_range(busy, ACCOUNTANTS - LINK_ACCT_MAX, ACCOUNTANTS - 1);
	kill(registry, SIGCONT);
	registry_link_free(l);
}

static void accounting_is_acknowledged_only_by_an_answer(void **state)
{
	struct registry_link *l = link_up();
	struct acct_event e = {.at = 1};
	int64_t start;

	(void)state;
	assert_int_equal(registry_link_acct_event(l, &e), 0);
	kill(registry, SIGSTOP);
	start = clock_mono_us();
	assert_int_not_equal(registry_link_acct_event(l, &e), 0);
	assert_true(clock_mono_us() - start < (LINK_ACCT_MS + 1000) * 1000LL);
	kill(registry, SIGCONT);
	registry_link_free(l);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_REGISTRY(the_map_is_believed_only_while_its_registry_lives),
		WITH_REGISTRY(memory_that_could_shrink_is_not_mapped),
		WITH_REGISTRY(a_hanging_registry_costs_one_timeout_and_then_nothing),
		WITH_REGISTRY(only_one_thread_tries_a_hanging_registry_again),
		WITH_REGISTRY(accounting_is_acknowledged_only_by_an_answer),
		WITH_REGISTRY(a_restarted_registry_is_used_at_the_next_question),
		WITH_REGISTRY(a_burst_of_accounting_is_answered_while_commits_are_quick),
		WITH_REGISTRY(slow_accounting_holds_few_threads),
	};

	return cmocka_run_group_tests_name("rlm_pump_link", tests, NULL, NULL);
}
