/* SPDX-License-Identifier: BSD-2-Clause */
/* Logins at the desk against a RadSec server in a thread: what is believed, and what happens when
 * it says no, says nothing, or is not the one. */
#include "tests/support/cmocka.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "base/secret.h"
#include "tests/unit/pump_agent/fake_chip.h"
#include "tests/unit/pump_agent/login_server.h"

#include "pump_agent/login/desk.h"

static struct store store;
static struct desk desk;
static struct login_server *server;
static struct chip *chip;

#define GRANT                                                                               \
	{                                                                                   \
		.user = "anna", .display = "Anna Adler", .role = "nurse", .session_s = 600, \
		.idle_s = 120, .offline = true, .offline_s = 3600, .offline_failures = 5,   \
		.offline_people = 50                                                        \
	}

static const struct login_script ACCEPTS = {.is_accept = true, .grant = GRANT};
static const struct login_script KEEPS = {.is_accept = true, .grant = GRANT, .keep_password = true};

static struct login_script refuses(const char *result)
{
	struct login_script s = {.refusal = {.retry_s = 7}};

	assert_int_equal(str_copy(s.refusal.result, LOGIN_WORD_SIZE, result), 0);
	return s;
}

static void start(const char *name, bool foreign)
{
	login_server_stop(server);
	server = login_server_start(name, foreign, &desk.server);
	login_server_script(server, &ACCEPTS);
}

/* The server is gone; its port answers nobody. */
static void stop(void)
{
	struct radsec_server gone = desk.server;

	radsec_close(desk.radsec);
	login_server_stop(server);
	server = NULL;
	gone.anchors = NULL; /* freed: nobody gets so far */
	desk.server = gone;
}

static int set_up(void **state)
{
	char dir[] = "/tmp/pumpgate-desk.XXXXXX";
	struct age_now now = desk_now();
	const char *noticed;

	(void)state;
	if (!mkdtemp(dir))
		return -1;
	memset(&store, 0, sizeof(store));
	memset(&desk, 0, sizeof(desk));
	store.lock_fd = -1;
	assert_int_equal(store_open(dir, &store), 0);
	assert_int_equal(radsec_new(&desk.radsec), 0);
	assert_int_equal(vault_open(&store, "PG-1", &now, &desk.vault, &noticed), 0);
	start("login-1.test", false);
	return 0;
}

static int tear_down(void **state)
{
	char command[PATH_MAX + 16];

	(void)state;
	radsec_free(desk.radsec);
	login_server_stop(server);
	server = NULL;
	vault_close(desk.vault);
	chip_free(chip);
	chip = NULL;
	store_close(&store);
	snprintf(command, sizeof(command), "rm -rf '%s'", store.dir);
	return system(command);
}

static struct pumplink_answer login(enum pumplink_kind kind, const char *name, const char *secret)
{
	struct pumplink_request rq = {.id = 1, .kind = kind, .secret_len = strlen(secret)};
	struct pumplink_answer a;
	struct desk_entry entry;

	assert_int_equal(str_copy(rq.name, sizeof(rq.name), name), 0);
	assert_int_equal(str_copy(rq.secret, sizeof(rq.secret), secret), 0);
	desk_login(&desk, &rq, &a, &entry);
	if (a.result == PUMPLINK_OK)
		assert_int_equal(desk_remember(&desk, &rq, &entry), 0);
	return a;
}

static enum pumplink_result by_badge(const char *pin)
{
	return login(PUMPLINK_LOGIN_BADGE, "1001", pin).result;
}

static enum pumplink_result by_password(void)
{
	return login(PUMPLINK_LOGIN_PASSWORD, "anna", "correct horse").result;
}

/* The pump has a TPM, and the server says that passwords may be kept. */
static void with_tpm(void)
{
	struct age_now now = desk_now();
	const char *noticed;

	fake_chip = (struct fake_chip){.seed = 1};
	assert_int_equal(chip_new(&fake_chip_calls, NULL, &chip), 0);
	vault_chip_set(desk.vault, chip);
	assert_int_equal(vault_seal_look(desk.vault, &now, &noticed), 0);
	login_server_script(server, &KEEPS);
}

static enum pumplink_result as(const char *name, const char *password)
{
	return login(PUMPLINK_LOGIN_PASSWORD, name, password).result;
}

/* ---- refusals ---- */

static void a_server_of_another_name_gets_no_password(void **state)
{
	static const char *const names[] = {"login-3.test", "login-0.test", "login-2.other",
					    "radius-1.test"};

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		start(names[i], false);
		desk.server.name = "login-1.test";
		assert_int_equal(by_password(), PUMPLINK_UNAVAILABLE);
		assert_int_equal(login_server_requests(server), 0);
	}
}

/* After a compromise, before the pump was told (docs/decisions/0196). */
static void a_server_of_the_next_epoch_is_taken_and_then_one_of_the_last_is_not(void **state)
{
	(void)state;
	start("login-2.test", false);
	desk.server.name = "login-1.test";
	assert_int_equal(by_password(), PUMPLINK_OK);
	start("login-1.test", false);
	desk.server.name = "login-2.test"; /* told */
	assert_int_equal(by_password(), PUMPLINK_UNAVAILABLE);
	assert_int_equal(login_server_requests(server), 0);
}

static void a_server_of_another_ca_gets_no_password(void **state)
{
	(void)state;
	start("login-1.test", true);
	assert_int_equal(by_password(), PUMPLINK_UNAVAILABLE);
	assert_int_equal(login_server_requests(server), 0);
}

static void an_answer_without_a_good_signature_lets_nobody_in(void **state)
{
	static const enum login_server_mode modes[] = {SERVER_FORGES, SERVER_UNSIGNED,
						       SERVER_TALKS_TRASH};
	struct login_script s = ACCEPTS;

	(void)state;
	for (size_t i = 0; i < sizeof(modes) / sizeof(modes[0]); i++) {
		s.mode = modes[i];
		login_server_script(server, &s);
		assert_int_equal(by_password(), PUMPLINK_UNAVAILABLE);
	}
}

static void an_accept_without_a_grant_lets_nobody_in(void **state)
{
	struct login_script s = {.is_accept = true};

	(void)state;
	login_server_script(server, &s);
	assert_int_equal(by_password(), PUMPLINK_UNAVAILABLE);
	s = refuses("refused");
	s.grant = ACCEPTS.grant; /* both */
	s.is_accept = true;
	login_server_script(server, &s);
	assert_int_equal(by_password(), PUMPLINK_UNAVAILABLE);
}

static void after_the_servers_no_the_pump_does_not_look_at_its_own(void **state)
{
	static const char *const words[] = {"refused", "not-allowed", "pump-refused", "malformed",
					    "a-later-word"};

	(void)state;
	assert_int_equal(by_badge("4711"), PUMPLINK_OK);
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		struct login_script s = refuses(words[i]);

		login_server_script(server, &s);
		assert_int_equal(by_badge("4711"), PUMPLINK_REFUSED);
	}
}

static void a_throttled_login_waits_as_long_as_the_server_says(void **state)
{
	struct login_script s = refuses("throttled");
	struct pumplink_answer a;

	(void)state;
	assert_int_equal(by_badge("4711"), PUMPLINK_OK);
	login_server_script(server, &s);
	a = login(PUMPLINK_LOGIN_BADGE, "1001", "4711");
	assert_int_equal(a.result, PUMPLINK_TRY_AGAIN);
	assert_int_equal(a.wait_s, 7);
}

static void a_password_is_never_good_without_the_server(void **state)
{
	(void)state;
	assert_int_equal(by_password(), PUMPLINK_OK);
	stop();
	assert_int_equal(by_password(), PUMPLINK_UNAVAILABLE);
	assert_int_equal(login(PUMPLINK_LOGIN_BADGE, "anna", "correct horse").result,
			 PUMPLINK_UNAVAILABLE);
}

static void a_password_is_never_kept_without_a_tpm(void **state)
{
	(void)state;
	login_server_script(server, &KEEPS);
	assert_int_equal(by_password(), PUMPLINK_OK);
	assert_int_equal(desk.vault->offline.head.n_people, 0);
	stop();
	assert_int_equal(by_password(), PUMPLINK_UNAVAILABLE);
}

static void a_password_is_not_kept_without_the_servers_word(void **state)
{
	struct login_script s = KEEPS;

	(void)state;
	with_tpm();
	login_server_script(server, &ACCEPTS);
	assert_int_equal(by_password(), PUMPLINK_OK);
	assert_int_equal(desk.vault->offline.head.n_people, 0);
	login_server_script(server, &KEEPS);
	assert_int_equal(by_password(), PUMPLINK_OK);
	assert_int_equal(desk.vault->offline.head.n_people, 1);
	s.grant.offline = false; /* nor when the role may not be let in at all */
	login_server_script(server, &s);
	assert_int_equal(by_password(), PUMPLINK_OK);
	assert_int_equal(desk.vault->offline.head.n_people, 0);
	stop();
	assert_int_equal(by_password(), PUMPLINK_UNAVAILABLE);
}

static void without_the_server_a_wrong_password_and_an_unknown_name_are_refused(void **state)
{
	(void)state;
	with_tpm();
	assert_int_equal(by_password(), PUMPLINK_OK);
	stop();
	assert_int_equal(as("bert", "correct horse"), PUMPLINK_UNAVAILABLE);
	assert_int_equal(as("anna", ""), PUMPLINK_UNAVAILABLE);
	for (int i = 0; i < OFFLINE_FAILURES_MAX; i++)
		assert_int_equal(as("anna", "correct hors"), PUMPLINK_REFUSED);
	assert_int_equal(by_password(), PUMPLINK_UNAVAILABLE); /* too many */
}

static void a_verifier_is_worth_nothing_under_another_tpms_key(void **state)
{
	(void)state;
	with_tpm();
	assert_int_equal(by_password(), PUMPLINK_OK);
	stop();
	fake_chip.seed = 2;
	fake_chip.breaks = true; /* the folder is in another pump: another connection */
	assert_int_equal(by_password(), PUMPLINK_UNAVAILABLE);
	fake_chip.takes_any = true; /* nor if that took the key */
	assert_int_equal(by_password(), PUMPLINK_REFUSED);
}

static void a_tpm_that_is_away_costs_no_try_and_no_pin(void **state)
{
	(void)state;
	with_tpm();
	assert_int_equal(by_password(), PUMPLINK_OK);
	assert_int_equal(by_badge("4711"), PUMPLINK_OK);
	assert_true(desk_ways(&desk) & PUMPLINK_WAY_PASSWORD);
	stop();
	fake_chip.is_away = true;
	for (int i = 0; i <= OFFLINE_FAILURES_MAX; i++)
		assert_int_equal(by_password(), PUMPLINK_UNAVAILABLE);
	assert_false(desk_ways(&desk) & PUMPLINK_WAY_PASSWORD);
	assert_int_equal(by_badge("4711"), PUMPLINK_OK);
	fake_chip.is_away = false;
	assert_int_equal(by_password(), PUMPLINK_OK);
}

static void without_the_server_a_wrong_pin_and_an_unknown_badge_are_refused(void **state)
{
	(void)state;
	assert_int_equal(by_badge("4711"), PUMPLINK_OK);
	stop();
	assert_int_equal(by_badge("4712"), PUMPLINK_REFUSED);
	assert_int_equal(login(PUMPLINK_LOGIN_BADGE, "1002", "4711").result, PUMPLINK_UNAVAILABLE);
}

static void a_tombstone_that_came_with_anything_ends_offline_logins(void **state)
{
	struct login_script s = {
		.is_accept = true, .terms = {.tombstone = 3}, .stone = {.seq = 3, .user = "anna"}};

	(void)state;
	assert_int_equal(by_badge("4711"), PUMPLINK_OK);
	login_server_script(server, &s);
	assert_int_equal(desk_contact(&desk), 0);
	assert_int_equal(desk.n_gone, 1);
	stop();
	assert_int_equal(by_badge("4711"), PUMPLINK_UNAVAILABLE);
}

static void nobody_comes_in_offline_while_tombstones_are_outstanding(void **state)
{
	struct login_script s = {.is_accept = true, .terms = {.more = true}};

	(void)state;
	assert_int_equal(by_badge("4711"), PUMPLINK_OK);
	login_server_script(server, &s);
	assert_int_equal(desk_contact(&desk), ERR_BUSY);
	stop();
	assert_int_equal(by_badge("4711"), PUMPLINK_UNAVAILABLE);
}

static void a_person_whom_the_server_does_not_want_offline_is_not_kept(void **state)
{
	struct login_script s = ACCEPTS;

	(void)state;
	s.grant.offline = false;
	login_server_script(server, &s);
	assert_int_equal(by_badge("4711"), PUMPLINK_OK);
	stop();
	assert_int_equal(by_badge("4711"), PUMPLINK_UNAVAILABLE);
}

static void a_server_that_says_nothing_is_not_waited_for_longer_than_its_time(void **state)
{
	struct login_script s = {.mode = SERVER_HANGS};

	(void)state;
	if (getenv("LOGIN_MUTANTS")) /* which need not wait for this one each time */
		skip();
	assert_int_equal(by_badge("4711"), PUMPLINK_OK);
	login_server_script(server, &s);
	assert_int_equal(by_badge("4711"), PUMPLINK_OK); /* by the pump's own */
	assert_int_equal(desk.vault->offline.head.n_records, 1);
	assert_int_equal(login_server_requests(server), 2);
	s = refuses("refused"); /* it is back, and has something else to say */
	login_server_script(server, &s);
	assert_int_equal(by_badge("4711"), PUMPLINK_REFUSED);
}

static void a_wrong_break_glass_code_is_refused_and_then_slowed_down(void **state)
{
	(void)state;
	for (int i = 0; i <= DESK_TRIES_FREE; i++)
		assert_int_equal(login(PUMPLINK_LOGIN_BREAK_GLASS, "", "00000-00000").result,
				 PUMPLINK_REFUSED);
	assert_int_equal(login(PUMPLINK_LOGIN_BREAK_GLASS, "", "00000-00000").result,
			 PUMPLINK_TRY_AGAIN);
}

/* ---- what goes well ---- */

static void a_good_login_asks_what_was_typed_and_tells_who_it_is(void **state)
{
	char name[128], password[129];
	struct login_state said;
	struct pumplink_answer a;
	unsigned n;

	(void)state;
	a = login(PUMPLINK_LOGIN_PASSWORD, "anna", "a password of more than sixteen bytes");
	assert_int_equal(a.result, PUMPLINK_OK);
	assert_string_equal(a.person, "Anna Adler");
	assert_string_equal(a.role, "nurse");
	assert_int_equal(a.session_s, 600);
	assert_int_equal(a.idle_s, 120);
	assert_false(a.is_offline);
	login_server_last(server, name, password, &said, &n);
	assert_string_equal(name, "anna");
	assert_string_equal(password, "a password of more than sixteen bytes");
	assert_string_equal(said.method, "password");
	assert_int_equal(said.journal.len, LOGIN_JOURNAL_ID);
	assert_int_equal(desk.vault->offline.head.n_people, 0);
}

static void who_logged_in_with_a_pin_does_so_without_the_server_and_it_hears_of_it(void **state)
{
	struct login_script s = {.is_accept = true, .terms = {.stored = 1}};
	struct radsec_server before;
	char name[128], password[129];
	struct login_state said;
	struct pumplink_answer a;
	unsigned n;

	(void)state;
	assert_int_equal(by_badge("4711"), PUMPLINK_OK);
	before = desk.server;
	desk.server.name = NULL;
	a = login(PUMPLINK_LOGIN_BADGE, "1001", "4711");
	assert_int_equal(a.result, PUMPLINK_OK);
	assert_true(a.is_offline);
	assert_string_equal(a.person, "Anna Adler");
	desk.server = before;
	login_server_script(server, &s);
	assert_int_equal(desk_contact(&desk), 0);
	login_server_last(server, name, password, &said, &n);
	assert_string_equal(name, "");
	assert_int_equal(n, 1);
	assert_int_equal(desk.vault->offline.head.n_records, 0);
	assert_int_equal(desk_contact(&desk), 0);
	login_server_last(server, name, password, &said, &n);
	assert_int_equal(n, 0); /* told once */
}

static void who_logged_in_with_a_password_does_so_without_the_server(void **state)
{
	struct pumplink_answer a;

	(void)state;
	with_tpm();
	/* e with an acute accent in one character, then in two; a name in capitals: RFC 4013, 3491
	 */
	assert_int_equal(as("Anna", "caf\xc3\xa9 au lait"), PUMPLINK_OK);
	stop();
	a = login(PUMPLINK_LOGIN_PASSWORD, "ANNA", "cafe\xcc\x81 au lait");
	assert_int_equal(a.result, PUMPLINK_OK);
	assert_true(a.is_offline);
	assert_string_equal(a.person, "Anna Adler");
	assert_int_equal(desk.vault->offline.head.n_records, 1);
	assert_string_equal(desk.vault->offline.records[0].method, "password");
	assert_int_equal(as("anna", "Cafe\xcc\x81 au lait"), PUMPLINK_REFUSED);
}

static void what_is_good_no_longer_raises_the_counter(void **state)
{
	struct login_script s = {.is_accept = true,
				 .has_codes = true,
				 .terms = {.tombstone = 3},
				 .stone = {.seq = 3, .user = "anna"}};
	char code[BREAK_GLASS_TEXT_SIZE];
	struct login_code *k = &s.code;
	unsigned before;

	(void)state;
	with_tpm();
	before = fake_chip.n_raised;
	assert_int_equal(by_badge("4711"), PUMPLINK_OK);
	assert_int_equal(by_password(), PUMPLINK_OK);
	assert_int_equal(fake_chip.n_raised, before); /* an older copy lets in fewer people */
	desk.server.name = NULL;
	assert_int_equal(by_badge("4711"), PUMPLINK_OK);
	assert_int_equal(fake_chip.n_raised, ++before); /* its record */
	desk.server.name = "login-1.test";
	login_server_script(server, &s);
	assert_int_equal(desk_contact(&desk), ERR_BUSY);
	assert_int_equal(fake_chip.n_raised, ++before); /* the tombstone */
	break_glass_code_new(code);
	*k = (struct login_code){.id = 9,
				 .salt.len = BREAK_GLASS_SALT,
				 .hash.len = BREAK_GLASS_HASH,
				 .not_after = desk_now().wall_ms + 3600000,
				 .role = "emergency",
				 .session_s = 900};
	assert_int_equal(break_glass_hash("PG-1", code, k->salt.data, k->hash.data), 0);
	login_server_script(server, &s);
	assert_int_equal(desk_contact(&desk), ERR_BUSY);
	assert_int_equal(fake_chip.n_raised, ++before); /* another envelope */
	assert_int_equal(desk_contact(&desk), ERR_BUSY);
	assert_int_equal(fake_chip.n_raised, before);
	assert_int_equal(login(PUMPLINK_LOGIN_BREAK_GLASS, "", code).result, PUMPLINK_OK);
	assert_int_equal(fake_chip.n_raised, ++before); /* its use */
}

static void a_password_and_a_pin_of_one_person_stand_beside_each_other(void **state)
{
	struct login_script s = {
		.is_accept = true, .terms = {.tombstone = 3}, .stone = {.seq = 3, .user = "anna"}};

	(void)state;
	with_tpm();
	assert_int_equal(by_badge("4711"), PUMPLINK_OK);
	assert_int_equal(by_password(), PUMPLINK_OK);
	assert_int_equal(desk.vault->offline.head.n_people, 2);
	login_server_script(server, &s);
	assert_int_equal(desk_contact(&desk), 0);
	assert_int_equal(desk.vault->offline.head.n_people, 0);
}

static void a_server_that_says_try_again_leaves_it_to_the_pump(void **state)
{
	struct login_script s = refuses("try-again");

	(void)state;
	assert_int_equal(by_badge("4711"), PUMPLINK_OK);
	login_server_script(server, &s);
	assert_int_equal(by_badge("4711"), PUMPLINK_OK);
	assert_int_equal(desk.vault->offline.head.n_records, 1);
}

static void a_connection_that_was_closed_meanwhile_is_made_again(void **state)
{
	struct login_script s = ACCEPTS;

	(void)state;
	s.mode = SERVER_HANGS_UP;
	login_server_script(server, &s);
	assert_int_equal(by_password(), PUMPLINK_OK);
	usleep(50000);
	assert_int_equal(by_password(), PUMPLINK_OK);
}

static void a_code_from_the_envelope_lets_in_once_also_without_a_server(void **state)
{
	struct login_script s = {.is_accept = true, .has_codes = true};
	char code[BREAK_GLASS_TEXT_SIZE];
	struct pumplink_answer a;
	struct login_code *k = &s.code;

	(void)state;
	break_glass_code_new(code);
	*k = (struct login_code){.id = 9,
				 .salt.len = BREAK_GLASS_SALT,
				 .hash.len = BREAK_GLASS_HASH,
				 .not_after = desk_now().wall_ms + 3600000,
				 .role = "emergency",
				 .session_s = 900};
	assert_int_equal(break_glass_hash("PG-1", code, k->salt.data, k->hash.data), 0);
	login_server_script(server, &s);
	assert_int_equal(desk_contact(&desk), 0);
	stop();
	assert_true(desk_ways(&desk) & PUMPLINK_WAY_BREAK_GLASS);
	a = login(PUMPLINK_LOGIN_BREAK_GLASS, "", code);
	assert_int_equal(a.result, PUMPLINK_OK);
	assert_true(a.is_break_glass);
	assert_string_equal(a.role, "emergency");
	assert_int_equal(login(PUMPLINK_LOGIN_BREAK_GLASS, "", code).result, PUMPLINK_REFUSED);
	assert_false(desk_ways(&desk) & PUMPLINK_WAY_BREAK_GLASS);
}

static void a_used_code_is_used_after_a_restart_too(void **state)
{
	struct login_script s = {.is_accept = true, .has_codes = true};
	struct age_now now = desk_now();
	char code[BREAK_GLASS_TEXT_SIZE];
	const char *noticed;

	(void)state;
	break_glass_code_new(code);
	s.code = (struct login_code){.id = 9,
				     .salt.len = BREAK_GLASS_SALT,
				     .hash.len = BREAK_GLASS_HASH,
				     .not_after = now.wall_ms + 3600000,
				     .role = "emergency"};
	assert_int_equal(break_glass_hash("PG-1", code, s.code.salt.data, s.code.hash.data), 0);
	login_server_script(server, &s);
	assert_int_equal(desk_contact(&desk), 0);
	assert_int_equal(login(PUMPLINK_LOGIN_BREAK_GLASS, "", code).result, PUMPLINK_OK);
	vault_close(desk.vault);
	assert_int_equal(vault_open(&store, "PG-1", &now, &desk.vault, &noticed), 0);
	assert_null(noticed);
	assert_int_equal(login(PUMPLINK_LOGIN_BREAK_GLASS, "", code).result, PUMPLINK_REFUSED);
	assert_int_equal(desk_contact(&desk), ERR_BUSY); /* and the server is still told */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define T(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
		T(a_server_of_another_name_gets_no_password),
		T(a_server_of_the_next_epoch_is_taken_and_then_one_of_the_last_is_not),
		T(a_server_of_another_ca_gets_no_password),
		T(an_answer_without_a_good_signature_lets_nobody_in),
		T(an_accept_without_a_grant_lets_nobody_in),
		T(after_the_servers_no_the_pump_does_not_look_at_its_own),
		T(a_throttled_login_waits_as_long_as_the_server_says),
		T(a_password_is_never_good_without_the_server),
		T(a_password_is_never_kept_without_a_tpm),
		T(a_password_is_not_kept_without_the_servers_word),
		T(without_the_server_a_wrong_password_and_an_unknown_name_are_refused),
		T(a_verifier_is_worth_nothing_under_another_tpms_key),
		T(a_tpm_that_is_away_costs_no_try_and_no_pin),
		T(without_the_server_a_wrong_pin_and_an_unknown_badge_are_refused),
		T(a_tombstone_that_came_with_anything_ends_offline_logins),
		T(nobody_comes_in_offline_while_tombstones_are_outstanding),
		T(a_person_whom_the_server_does_not_want_offline_is_not_kept),
		T(a_server_that_says_nothing_is_not_waited_for_longer_than_its_time),
		T(a_wrong_break_glass_code_is_refused_and_then_slowed_down),
		T(a_good_login_asks_what_was_typed_and_tells_who_it_is),
		T(who_logged_in_with_a_pin_does_so_without_the_server_and_it_hears_of_it),
		T(who_logged_in_with_a_password_does_so_without_the_server),
		T(what_is_good_no_longer_raises_the_counter),
		T(a_password_and_a_pin_of_one_person_stand_beside_each_other),
		T(a_server_that_says_try_again_leaves_it_to_the_pump),
		T(a_connection_that_was_closed_meanwhile_is_made_again),
		T(a_code_from_the_envelope_lets_in_once_also_without_a_server),
		T(a_used_code_is_used_after_a_restart_too),
	};

	signal(SIGPIPE, SIG_IGN); /* as daemon_harden */
	log_start("test", LOG_ERROR);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
