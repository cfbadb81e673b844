/* SPDX-License-Identifier: BSD-2-Clause */
/* Back-off, options, events, state folder, status: what stands around the machine. */
#include "tests/support/cmocka.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <linux/rtnetlink.h>
#include <net/if.h>

#include "pump_agent/backoff.h"
#include "pump_agent/link_watch.h"
#include "pump_agent/options.h"
#include "pump_agent/status.h"
#include "pump_agent/store.h"
#include "pump_agent/wpa_link.h"

static char dir[64];

static int dir_make(void **state)
{
	(void)state;
	snprintf(dir, sizeof(dir), "/tmp/pumpgate-store.XXXXXX");
	return mkdtemp(dir) ? 0 : -1;
}

static int dir_remove(void **state)
{
	char command[128];

	(void)state;
	snprintf(command, sizeof(command), "rm -rf %s", dir);
	return system(command);
}

static void backoff_doubles_up_to_its_cap_and_starts_anew(void **state)
{
	struct backoff b = {.first_ms = 1000, .max_ms = 300000};
	uint32_t last = 0;

	(void)state;
	assert_int_equal(backoff_failed(&b, UINT32_MAX), 1000);
	assert_int_equal(backoff_failed(&b, UINT32_MAX), 2000);
	assert_int_equal(backoff_failed(&b, 0), 2000); /* half of 4000 */
	for (int i = 0; i < 1000; i++)
		last = backoff_failed(&b, UINT32_MAX);
	assert_int_equal(last, 300000);
	backoff_succeeded(&b);
	assert_int_equal(backoff_failed(&b, UINT32_MAX), 1000);
}

static void backoff_never_leaves_its_bounds(void **state)
{
	struct backoff b = {.first_ms = 7, .max_ms = 1u << 30};

	(void)state;
	for (uint32_t i = 0; i < 200; i++) {
		uint32_t wait = backoff_failed(&b, i * 2654435761u);

		assert_in_range(wait, 3, 1u << 30);
	}
}

static int options(struct agent_options *o, int argc, const char *const *args)
{
	char *argv[12] = {(char *)"pumpgate-agentd"};

	for (int i = 0; i < argc; i++)
		argv[i + 1] = (char *)args[i];
	return options_parse(argc + 1, argv, o);
}
#define OPTIONS(o, ...)                                                      \
	options((o), sizeof((const char *[]){__VA_ARGS__}) / sizeof(char *), \
		(const char *[]){__VA_ARGS__})

/* The agent's own waits: it neither gives up nor storms. */
static void a_week_without_the_server_is_a_few_hundred_tries(void **state)
{
	static const struct backoff waits[] = {
		{.first_ms = 60000, .max_ms = 3600000}, /* renewals, questions */
		{.first_ms = 10000, .max_ms = 300000},	/* refusals by the network */
		{.first_ms = 5000, .max_ms = 300000},	/* the statement of a wiped pump */
	};
	static const unsigned most[] = {400, 4200, 4200};

	(void)state;
	for (size_t i = 0; i < sizeof(waits) / sizeof(waits[0]); i++) {
		struct backoff b = waits[i];
		uint64_t passed_ms = 0;
		unsigned tries = 0;

		for (; passed_ms < 7ull * 24 * 3600 * 1000; tries++)
			passed_ms += backoff_failed(&b, tries * 2654435761u);
		assert_in_range(tries, most[i] / 4, most[i]);
		assert_true(backoff_failed(&b, UINT32_MAX) <= waits[i].max_ms);
	}
}

static void options_refuse_what_cannot_work_and_say_what_to_do(void **state)
{
	struct agent_options o;

	(void)state;
	assert_int_equal(OPTIONS(&o, "--state", "/x"), ERR_INVALID);
	assert_non_null(strstr(err_text(), "--interface"));
	assert_int_equal(OPTIONS(&o, "--interface", "a/b"), ERR_INVALID);
	assert_int_equal(OPTIONS(&o, "--interface", "e0", "--driver", "wifi"), ERR_INVALID);
	assert_int_equal(OPTIONS(&o, "--interface", "e0", "--ssid", "x"), ERR_INVALID);
	assert_int_equal(OPTIONS(&o, "--interface", "e0", "--driver", "token-ring"), ERR_INVALID);
	assert_int_equal(OPTIONS(&o, "--interface", "e0", "--key", "dsa"), ERR_INVALID);
	assert_int_equal(OPTIONS(&o, "--interface", "e0", "--renew-at", "0"), ERR_INVALID);
	assert_int_equal(OPTIONS(&o, "--interface", "e0", "--renew-at", "66x"), ERR_INVALID);
	assert_int_equal(OPTIONS(&o, "--interface", "e0", "enrol"), ERR_INVALID);
	assert_int_equal(OPTIONS(&o, "--token", "t", "--interface", "e0"), ERR_INVALID);
	assert_int_equal(OPTIONS(&o, "--interface"), ERR_INVALID);
}

static void command_line_wins_over_the_file_and_unknown_settings_are_refused(void **state)
{
	char path[96];
	struct agent_options o;
	static const char good[] = "[agent]\ninterface = eth9\ndriver = wifi\nssid = pumps\n";
	static const char bad[] = "[agent]\ninterface = eth9\ntoken = hush\n";

	(void)state;
	snprintf(path, sizeof(path), "%s/agent.conf", dir);
	assert_int_equal(buf_write_file(path, 0600, good, strlen(good)), 0);
	assert_int_equal(OPTIONS(&o, "--config", path, "--interface", "eth1"), 0);
	assert_string_equal(o.interface, "eth1");
	assert_string_equal(o.ssid, "pumps");
	assert_int_equal(o.driver, NET_WIFI);
	assert_int_equal(o.renew_percent, 66);
	options_done(&o);
	assert_int_equal(buf_write_file(path, 0600, bad, strlen(bad)), 0);
	assert_int_equal(OPTIONS(&o, "--config", path), ERR_INVALID);
	assert_int_equal(OPTIONS(&o, "--config", "/nowhere"), ERR_NOT_FOUND);
}

static void events_are_known_by_their_first_words_only(void **state)
{
	(void)state;
	assert_int_equal(wpa_event_parse(""), WPA_OTHER);
	assert_int_equal(wpa_event_parse("<"), WPA_OTHER);
	assert_int_equal(wpa_event_parse("<3>"), WPA_OTHER);
	assert_int_equal(wpa_event_parse("<3>x CTRL-EVENT-EAP-SUCCESS "), WPA_OTHER);
	assert_int_equal(wpa_event_parse("<3>CTRL-EVENT-EAP-SUCCESS2 x"), WPA_OTHER);
	assert_int_equal(wpa_event_parse("<3>CTRL-EVENT-EAP-SUCCESS EAP done"), WPA_EAP_SUCCESS);
	assert_int_equal(wpa_event_parse("CTRL-EVENT-EAP-FAILURE EAP failed"), WPA_EAP_FAILURE);
	assert_int_equal(wpa_event_parse("<3>CTRL-EVENT-CONNECTED - Connection to"), WPA_CONNECTED);
	assert_int_equal(wpa_event_parse("<3>CTRL-EVENT-DISCONNECTED bssid="), WPA_DISCONNECTED);
	assert_int_equal(wpa_event_parse("<3>CTRL-EVENT-TERMINATING "), WPA_TERMINATING);
	assert_int_equal(wpa_event_parse("<3>CTRL-EVENT-EAP-TLS-CERT-ERROR reason=1"),
			 WPA_SERVER_REFUSED);
}

/* One RTM_NEWLINK as the kernel sends it. */
static size_t newlink(uint8_t *out, const char *name, unsigned flags)
{
	struct nlmsghdr *h = (struct nlmsghdr *)out;
	struct ifinfomsg *info = NLMSG_DATA(h);
	struct rtattr *a = IFLA_RTA(info);

	memset(out, 0, 256);
	h->nlmsg_type = RTM_NEWLINK;
	info->ifi_flags = flags;
	a->rta_type = IFLA_IFNAME;
	a->rta_len = (unsigned short)RTA_LENGTH(strlen(name) + 1);
	memcpy(RTA_DATA(a), name, strlen(name) + 1);
	h->nlmsg_len = (uint32_t)(NLMSG_LENGTH(sizeof(*info)) + RTA_ALIGN(a->rta_len));
	return h->nlmsg_len;
}

static void cable_news_are_taken_for_our_interface_only(void **state)
{
	_Alignas(8) uint8_t d[512];
	size_t len = newlink(d, "eth0", IFF_RUNNING);

	(void)state;
	assert_int_equal(link_news_parse(d, len, "eth1"), LINK_NO_NEWS);
	assert_int_equal(link_news_parse(d, len, "eth"), LINK_NO_NEWS);
	assert_int_equal(link_news_parse(d, len, "eth00"), LINK_NO_NEWS);
	assert_int_equal(link_news_parse(d, len, "eth0"), LINK_UP);
	len = newlink(d, "eth0", 0);
	assert_int_equal(link_news_parse(d, len, "eth0"), LINK_DOWN);
	for (size_t cut = 0; cut < len; cut++)
		assert_int_equal(link_news_parse(d, cut, "eth0"), LINK_NO_NEWS);
}

static struct store_state some_state(void)
{
	struct store_state st = {.enrolled = true, .active = SLOT_B};

	strcpy(st.settings.pump, "PG-000123");
	strcpy(st.settings.est, "https://h:1/e");
	strcpy(st.settings.radius_name, "radius-1.pumpgate.internal");
	strcpy(st.bundle_hash, "beef");
	st.settings.anchor_hash[31] = 7;
	return st;
}

static void state_is_written_whole_and_read_back(void **state)
{
	struct store_state st = some_state();
	struct store_state got;
	struct store s;

	(void)state;
	assert_int_equal(store_open(dir, &s), 0);
	assert_int_equal(store_state_read(&s, &got), ERR_NOT_FOUND);
	strcpy(st.settings.login_address, "10.0.0.5:2083");
	strcpy(st.settings.login_name, "login-1.x.y");
	assert_int_equal(store_state_write(&s, &st), 0);
	assert_int_equal(store_state_read(&s, &got), 0);
	assert_int_equal(got.active, SLOT_B);
	assert_true(got.enrolled && !got.revoked);
	assert_string_equal(got.settings.est, "https://h:1/e");
	assert_string_equal(got.settings.login_address, "10.0.0.5:2083");
	assert_string_equal(got.settings.login_name, "login-1.x.y");
	assert_memory_equal(got.settings.anchor_hash, st.settings.anchor_hash, ANCHOR_HASH_BYTES);
	store_close(&s);
}

static void damaged_or_newer_state_is_refused_not_forgotten(void **state)
{
	static const char *const damaged[] = {"", "{}", "{\"version\": 1}", "garbage"};
	struct store_state got;
	char path[96];
	struct store s;

	(void)state;
	assert_int_equal(store_open(dir, &s), 0);
	snprintf(path, sizeof(path), "%s/state.json", dir);
	for (size_t i = 0; i < sizeof(damaged) / sizeof(damaged[0]); i++) {
		assert_int_equal(buf_write_file(path, 0600, damaged[i], strlen(damaged[i])), 0);
		assert_int_equal(store_state_read(&s, &got), ERR_CORRUPT);
	}
	assert_int_equal(buf_write_file(path, 0600, "{\"version\": 2}", 14), 0);
	assert_int_equal(store_state_read(&s, &got), ERR_NEWER);
	store_close(&s);
}

static void folder_that_others_can_write_to_is_refused(void **state)
{
	struct store s = {.lock_fd = -1};

	(void)state;
	assert_int_equal(chmod(dir, 0777), 0);
	assert_int_equal(store_open(dir, &s), ERR_DENIED);
	assert_int_equal(chmod(dir, 0711), 0);
	assert_int_equal(store_open(dir, &s), 0);
	store_close(&s);
}

static void second_agent_on_a_folder_is_refused(void **state)
{
	struct store one, two;

	(void)state;
	assert_int_equal(store_open(dir, &one), 0);
	assert_int_equal(store_open(dir, &two), ERR_BUSY);
	store_close(&one);
	assert_int_equal(store_open(dir, &two), 0);
	store_close(&two);
}

static void slot_begun_for_something_else_is_emptied_first(void **state)
{
	char purpose[SLOT_PURPOSE_MAX];
	EVP_PKEY *key = EVP_EC_gen("P-256");
	EVP_PKEY *got = NULL;
	struct store s;

	(void)state;
	assert_int_equal(store_open(dir, &s), 0);
	assert_int_equal(store_slot_purpose(&s, SLOT_A, purpose), 0);
	assert_string_equal(purpose, "");
	assert_int_equal(store_slot_begin(&s, SLOT_A, "bundle 1"), 0);
	assert_int_equal(store_key_write(&s, SLOT_A, key), 0);
	assert_int_equal(store_key_read(&s, SLOT_A, &got), 0);
	assert_int_equal(store_slot_begin(&s, SLOT_A, "bundle 2"), 0);
	assert_int_equal(store_key_read(&s, SLOT_A, &got), ERR_NOT_FOUND);
	assert_int_equal(store_slot_purpose(&s, SLOT_A, purpose), 0);
	assert_string_equal(purpose, "bundle 2");
	EVP_PKEY_free(key);
	EVP_PKEY_free(got);
	store_close(&s);
}

static void status_shows_words_of_peers_harmlessly(void **state)
{
	struct status st = {.state = AGENT_ENROLLED, .since_ms = 1000, .error_at_ms = 2000};
	AUTO_BUF out = {.max = 8192};

	(void)state;
	strcpy(st.pump, "PG-000123");
	strcpy(st.error_step, "network");
	strcpy(st.error_text, "bad\nnews\xff \"quoted\"");
	assert_int_equal(status_build(&st, &out), 0);
	assert_non_null(strstr(buf_cstr(&out), "\"bad?news? \\\"quoted\\\"\""));
	assert_non_null(strstr(buf_cstr(&out), "\"state\": \"enrolled\""));
	assert_non_null(strstr(buf_cstr(&out), "\"certificate\": null"));
}

#define WITH_DIR(test) cmocka_unit_test_setup_teardown(test, dir_make, dir_remove)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(backoff_doubles_up_to_its_cap_and_starts_anew),
		cmocka_unit_test(backoff_never_leaves_its_bounds),
		cmocka_unit_test(a_week_without_the_server_is_a_few_hundred_tries),
		cmocka_unit_test(options_refuse_what_cannot_work_and_say_what_to_do),
		WITH_DIR(command_line_wins_over_the_file_and_unknown_settings_are_refused),
		cmocka_unit_test(events_are_known_by_their_first_words_only),
		cmocka_unit_test(cable_news_are_taken_for_our_interface_only),
		WITH_DIR(damaged_or_newer_state_is_refused_not_forgotten),
		WITH_DIR(folder_that_others_can_write_to_is_refused),
		WITH_DIR(second_agent_on_a_folder_is_refused),
		WITH_DIR(slot_begun_for_something_else_is_emptied_first),
		WITH_DIR(state_is_written_whole_and_read_back),
		cmocka_unit_test(status_shows_words_of_peers_harmlessly),
	};

	return cmocka_run_group_tests_name("pump_agent/shell", tests, NULL, NULL);
}
