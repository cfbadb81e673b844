/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * pump_controller: the emulated infusion controller and, with its other commands, a finger on its
 * keypad. Not installed: for tests and the demo.
 */
#include <getopt.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <jansson.h>

#include "base/secret.h"
#include "pump_agent/controller_emulator/keypad.h"

#define EXIT_AGAIN 75
#define EXIT_USAGE 64
#define LOGIN_POLLS 700 /* of 50 ms: longer than pumplink waits */

static const char HELP[] =
	"usage: pump_controller --dir DIR run [--agent SOCKET] [--cpu N] [--priority P]\n"
	"                                     [--period-us N]\n"
	"       pump_controller --dir DIR view | who | account | infuse | idle | logout | cancel\n"
	"       pump_controller --dir DIR login NAME | badge ID | code     secret on stdin\n"
	"\n"
	"An emulated infusion controller; DIR holds its keypad's socket. Each command prints what\n"
	"the display shows, as JSON. `account`: ticks, missed ones and lateness since the last\n"
	"`account`. A login waits for its outcome: 0 logged in, 1 refused, 75 try again.\n"
	"\n"
	"examples:\n"
	"  pump_controller --dir /tmp/pump run --agent /run/pumpgate-agent/pumplink --priority 50\n"
	"  pump_controller --dir /tmp/pump infuse\n"
	"  echo 1234 | pump_controller --dir /tmp/pump badge 04512277\n";

static struct loop loop = {
	.options = {.period_us = 10000, .cpu = -1},
};

static void stop(int signo)
{
	(void)signo;
	atomic_store(&loop.stop, true);
}

static void *loop_main(void *arg)
{
	loop_run(arg);
	return NULL;
}

static int run(const char *dir, const char *agent)
{
	const struct sigaction on_term = {.sa_handler = stop};
	pthread_t thread;
	int fd = -1;
	int rc = keypad_open(dir, &fd);

	if (!rc && pumplink_open(agent, &loop.link))
		rc = err_set(ERR_NOMEM, "no memory for pumplink");
	if (!rc && pthread_create(&thread, NULL, loop_main, &loop))
		rc = err_set(ERR_NOMEM, "no thread for the loop");
	if (rc) {
		fprintf(stderr, "pump_controller: %s\n", err_text());
		return EXIT_FAILURE;
	}
	sigaction(SIGTERM, &on_term, NULL);
	sigaction(SIGINT, &on_term, NULL);
	while (!atomic_load(&loop.account.begun_us))
		nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
	puts("ready");
	fflush(stdout);
	keypad_serve(&loop, fd);
	pthread_join(thread, NULL);
	pumplink_close(loop.link);
	return EXIT_SUCCESS;
}

static int failed(int rc)
{
	fprintf(stderr, "pump_controller: %s\n", err_text());
	return rc == ERR_TIMEOUT || rc == ERR_UNAVAILABLE ? EXIT_AGAIN : EXIT_FAILURE;
}

static int show(const char *answer, bool who_only)
{
	json_t *j = json_loads(answer, 0, NULL);
	const json_t *session = json_object_get(j, "session");
	int hangs = json_is_true(json_object_get(j, "hangs"));

	if (!who_only)
		puts(answer);
	else if (json_is_object(session))
		printf("%s (%s)\n", json_string_value(json_object_get(session, "person")),
		       json_string_value(json_object_get(session, "role")));
	else
		puts("nobody");
	json_decref(j);
	return hangs ? EXIT_AGAIN : EXIT_SUCCESS;
}

/* What came of a login: shown, and as an exit status; -1: nothing yet. */
static int outcome(const char *answer, uint32_t *request)
{
	json_t *j = json_loads(answer, 0, NULL);
	const char *result = json_string_value(json_object_get(j, "result"));
	int status = EXIT_AGAIN;

	*request = (uint32_t)json_integer_value(json_object_get(j, "request"));
	if (!result || !*request)
		status = EXIT_FAILURE;
	else if (!strcmp(result, "pending"))
		status = -1;
	else if (!strcmp(result, "ok"))
		status = EXIT_SUCCESS;
	else if (!strcmp(result, "refused"))
		status = EXIT_FAILURE;
	json_decref(j);
	return status;
}

static int login(const char *dir, struct keypad_press *press)
{
	char answer[KEYPAD_ANSWER_MAX];
	uint32_t request = 0;
	int status;
	int rc = keypad_press(dir, press, answer);

	status = rc ? 0 : outcome(answer, &request);
	for (int i = 0; !rc && status < 0 && i < LOGIN_POLLS; i++) {
		struct keypad_press poll_press = {.key = KEY_POLL, .request = request};

		nanosleep(&(struct timespec){.tv_nsec = 50000000}, NULL);
		rc = keypad_press(dir, &poll_press, answer);
		status = rc ? status : outcome(answer, &request);
	}
	if (rc)
		return failed(rc);
	puts(answer);
	return status < 0 ? EXIT_AGAIN : status;
}

static int secret_take(struct keypad_press *press)
{
	AUTO_SECRET s = NULL;
	int rc = secret_read_stdin("secret: ", sizeof(press->secret) - 1, &s);

	if (!rc)
		memcpy(press->secret, secret_data(s), secret_len(s));
	return rc;
}

static const struct {
	const char *name;
	enum keypad_key key;
	bool has_name;
	bool has_secret;
} KEYS[] = {
	{"view", KEY_VIEW, false, false},     {"who", KEY_VIEW, false, false},
	{"account", 0, false, false},	      {"infuse", KEY_INFUSE, false, false},
	{"idle", KEY_IDLE, false, false},     {"logout", KEY_LOGOUT, false, false},
	{"cancel", KEY_CANCEL, false, false}, {"login", KEY_LOGIN, true, true},
	{"badge", KEY_BADGE, true, true},     {"code", KEY_CODE, false, true},
};

static int command(const char *dir, char **words, int n)
{
	struct keypad_press press = {0};
	char answer[KEYPAD_ANSWER_MAX];
	size_t i = 0;
	int rc;

	while (i < sizeof(KEYS) / sizeof(KEYS[0]) && strcmp(KEYS[i].name, words[0]) != 0)
		i++;
	if (i == sizeof(KEYS) / sizeof(KEYS[0]) || n != 1 + KEYS[i].has_name) {
		fputs(HELP, stderr);
		return EXIT_USAGE;
	}
	press.key = KEYS[i].key;
	press.is_account = !press.key;
	if (KEYS[i].has_name)
		snprintf(press.name, sizeof(press.name), "%s", words[1]);
	rc = KEYS[i].has_secret ? secret_take(&press) : 0;
	if (rc)
		return failed(rc);
	if (KEYS[i].has_secret)
		return login(dir, &press);
	rc = keypad_press(dir, &press, answer);
	return rc ? failed(rc) : show(answer, !strcmp(words[0], "who"));
}

int main(int argc, char **argv)
{
	static const struct option longs[] = {
		{"dir", required_argument, NULL, 'd'},
		{"agent", required_argument, NULL, 'a'},
		{"cpu", required_argument, NULL, 'c'},
		{"priority", required_argument, NULL, 'p'},
		{"period-us", required_argument, NULL, 'u'},
		{"help", no_argument, NULL, 'h'},
		{0},
	};
	const char *agent = PUMPLINK_SOCKET;
	const char *dir = NULL;
	int c;

	while ((c = getopt_long(argc, argv, "", longs, NULL)) != -1) {
		if (c == 'd')
			dir = optarg;
		else if (c == 'a')
			agent = optarg;
		else if (c == 'c')
			loop.options.cpu = atoi(optarg);
		else if (c == 'p')
			loop.options.priority = atoi(optarg);
		else if (c == 'u')
			loop.options.period_us = (uint32_t)atoi(optarg);
		else {
			fputs(HELP, c == 'h' ? stdout : stderr);
			return c == 'h' ? EXIT_SUCCESS : EXIT_USAGE;
		}
	}
	if (!dir || optind >= argc || loop.options.period_us < 100) {
		fputs(HELP, stderr);
		return EXIT_USAGE;
	}
	if (!strcmp(argv[optind], "run") && optind + 1 == argc)
		return run(dir, agent);
	return command(dir, argv + optind, argc - optind);
}
