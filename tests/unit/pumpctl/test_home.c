/* SPDX-License-Identifier: BSD-2-Clause */
/* Settings, templates, readiness messages, bundles, bounded logs: the small parts of init and run.
 */
#include "tests/support/cmocka.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "enroll/pumpctl/bundle.h"
#include "enroll/pumpctl/logfile.h"
#include "enroll/pumpctl/notify.h"
#include "enroll/pumpctl/ports.h"
#include "enroll/pumpctl/raddb.h"
#include "enroll/pumpctl/settings.h"

static void settings_refuse_what_the_file_could_not_hold(void **state)
{
	struct settings s;

	(void)state;
	settings_default(&s);
	strcpy(s.est_names, "localhost");
	assert_int_equal(settings_check(&s), 0);
	strcpy(s.organization, "A ; B");
	assert_int_equal(settings_check(&s), ERR_INVALID);
	strcpy(s.organization, "A\n[users]");
	assert_int_equal(settings_check(&s), ERR_INVALID);
	settings_default(&s);
	strcpy(s.est_names, "localhost");
	strcpy(s.radius_name, "a b");
	assert_int_equal(settings_check(&s), ERR_INVALID);
	strcpy(s.radius_name, "radius");
	strcpy(s.radius_address, "localhost");
	assert_int_equal(settings_check(&s), ERR_INVALID);
	strcpy(s.radius_address, "::1");
	s.radius_acct_port = s.radius_auth_port;
	assert_int_equal(settings_check(&s), ERR_INVALID);
}

static void settings_come_back_as_they_were_written(void **state)
{
	char home[] = "/tmp/pumpgate-test.XXXXXX", path[64];
	struct settings s, again;

	(void)state;
	assert_non_null(mkdtemp(home));
	settings_default(&s);
	strcpy(s.home, home);
	strcpy(s.est_names, "localhost, 127.0.0.1");
	strcpy(s.organization, "City Hospital, North");
	strcpy(s.users[PROCESS_RADIUSD], "61003");
	s.est_port = 8443;
	assert_int_equal(settings_read(home, &again), ERR_NOT_FOUND);
	assert_int_equal(settings_write(&s), 0);
	assert_int_equal(settings_read(home, &again), 0);
	assert_memory_equal(&s, &again, sizeof(s));
	snprintf(path, sizeof(path), "%s/pumpgate.conf", home);
	unlink(path);
	rmdir(home);
}

static void the_est_url_is_one_that_a_pump_can_use(void **state)
{
	struct settings s;
	char url[320];

	(void)state;
	settings_default(&s);
	settings_est_url(&s, url, sizeof(url));
	assert_string_equal(url, "https://127.0.0.1:21443/.well-known/est");
	strcpy(s.est_address, "0.0.0.0");
	strcpy(s.est_names, "localhost, 127.0.0.1, est.hospital.example");
	settings_est_url(&s, url, sizeof(url));
	assert_string_equal(url, "https://est.hospital.example:21443/.well-known/est");
	strcpy(s.est_address, "2001:db8::1");
	settings_est_url(&s, url, sizeof(url));
	assert_string_equal(url, "https://[2001:db8::1]:21443/.well-known/est");
}

static void a_template_with_an_unknown_word_is_refused(void **state)
{
	static const struct raddb_word words[] = {{"HOME", "/h"}, {"PORT", "1812"}};
	static const char good[] = "a @HOME@/x @PORT@ b@c.d @ @@ @home@ @HOME";
	static const char bad[] = "@HOME@ @HOMES@";
	AUTO_BUF out = {.max = 256};

	(void)state;
	assert_int_equal(raddb_fill(bad, strlen(bad), words, 2, &out), ERR_INVALID);
	buf_reset(&out);
	assert_int_equal(raddb_fill(good, strlen(good), words, 2, &out), 0);
	assert_string_equal(buf_cstr(&out), "a /h/x 1812 b@c.d @ @@ @home@ @HOME");
}

static void only_a_whole_line_makes_a_child_ready(void **state)
{
	(void)state;
	assert_false(notify_is_ready("", 0));
	assert_false(notify_is_ready("READY=10", 8));
	assert_false(notify_is_ready("XREADY=1", 8));
	assert_false(notify_is_ready("STATUS=READY=1", 14));
	assert_true(notify_is_ready("READY=1", 7));
	assert_true(notify_is_ready("STATUS=x\nREADY=1\n", 17));
}

static void a_bundle_holds_just_the_documented_members(void **state)
{
	const struct bundle b = {.pump = "PG-1",
				 .est = "https://e/",
				 .anchor_sha256 = "ab",
				 .radius_name = "radius-1",
				 .token = "tok\"en",
				 .token_len = 6};
	const struct bundle_anchors anchors = {.text = {(char *)"QQ==", (char *)"Qg=="}, .n = 2};
	const struct bundle by_birth = {.pump = "PG-1",
					.est = "https://e/",
					.anchor_sha256 = "ab",
					.radius_name = "radius-1",
					.idevid_certificate = "/etc/c.pem",
					.idevid_key = "/etc/k.pem",
					.anchors = &anchors};
	AUTO_BUF text = {.max = 1024};
	AUTO_BUF qr = {.max = 65536};

	(void)state;
	assert_int_equal(bundle_build(&b, 0, &text), 0);
	assert_string_equal(buf_cstr(&text),
			    "{\"version\":1,\"pump\":\"PG-1\",\"est\":\"https://e/\","
			    "\"server_anchor_sha256\":\"ab\",\"radius_server_name\":\"radius-1\","
			    "\"token\":\"tok\\\"en\"}");
	assert_int_equal(bundle_qr((const char *)text.data, &qr), 0);
	assert_true(qr.len > 1000);
	buf_reset(&text);
	assert_int_equal(bundle_build(&by_birth, 0, &text), 0);
	assert_string_equal(buf_cstr(&text),
			    "{\"version\":2,\"pump\":\"PG-1\",\"est\":\"https://e/\","
			    "\"server_anchor_sha256\":\"ab\",\"radius_server_name\":\"radius-1\","
			    "\"idevid_certificate\":\"/etc/c.pem\",\"idevid_key\":\"/etc/k.pem\","
			    "\"server_anchors\":[\"QQ==\",\"Qg==\"]}");
}

static void no_anchor_is_taken_from_what_is_no_root(void **state)
{
	char hex[ANCHOR_HEX_SIZE];

	(void)state;
	assert_int_equal(bundle_anchor_sha256("", 0, hex), ERR_NOT_FOUND);
	assert_int_equal(bundle_anchor_sha256("garbage", 7, hex), ERR_NOT_FOUND);
}

static void a_log_never_grows_past_its_bound(void **state)
{
	char folder[] = "/tmp/pumpgate-test.XXXXXX", path[64], old[72];
	struct logfile f;
	struct stat st;

	(void)state;
	assert_non_null(mkdtemp(folder));
	snprintf(path, sizeof(path), "%s/x.log", folder);
	snprintf(old, sizeof(old), "%s.1", path);
	assert_int_equal(logfile_open(&f, path, 1000), 0);
	for (int i = 0; i < 100; i++) {
		logfile_write(&f, "0123456789012345678901234567890123456789\n", 41);
		assert_int_equal(stat(path, &st), 0);
		assert_true(st.st_size <= 1000);
	}
	assert_int_equal(stat(old, &st), 0);
	assert_true(st.st_size > 900 && st.st_size <= 1000);
	logfile_close(&f);
	unlink(path);
	unlink(old);
	rmdir(folder);
}

static void a_taken_port_is_passed_over(void **state)
{
	struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
	socklen_t len = sizeof(a);
	int fd = socket(AF_INET, SOCK_DGRAM, 0);
	uint32_t port, chosen;

	(void)state;
	assert_int_equal(bind(fd, (struct sockaddr *)&a, len), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&a, &len), 0);
	port = ntohs(a.sin_port);
	assert_false(port_is_free(PORT_UDP, "127.0.0.1", port));
	assert_true(port_is_free(PORT_UDP, "127.0.0.2", port));
	assert_int_equal(port_choose(PORT_UDP, "127.0.0.1", port - 1, 2, &chosen), 0);
	assert_true(chosen > port);
	close(fd);
	assert_false(port_is_free(PORT_UDP, "192.0.2.1", port)); /* not this machine's */
	assert_int_equal(port_choose(PORT_UDP, "192.0.2.1", port, 1, &chosen), ERR_FULL);
}

/* One datagram by ourselves and one by a child: each named by the kernel, not by its words. */
static void readiness_is_attested_by_the_kernel(void **state)
{
	char path[] = "/tmp/pumpgate-test.XXXXXX";
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	int fd, from = mkstemp(path);
	bool ready;
	pid_t child, pid;

	(void)state;
	close(from);
	assert_int_equal(notify_open(path, &fd), 0);
	assert_int_equal(notify_read(fd, &pid, &ready), ERR_NOT_FOUND);
	strcpy(a.sun_path, path);
	from = socket(AF_UNIX, SOCK_DGRAM, 0);
	assert_int_equal(connect(from, (struct sockaddr *)&a, sizeof(a)), 0);
	assert_int_equal(send(from, "MAINPID=1\nREADY=1", 17, 0), 17);
	assert_int_equal(notify_read(fd, &pid, &ready), 0);
	assert_int_equal(pid, getpid());
	assert_true(ready);
	child = fork();
	if (child == 0)
		_exit(send(from, "STATUS=x", 8, 0) != 8);
	assert_int_equal(waitpid(child, NULL, 0), child);
	assert_int_equal(notify_read(fd, &pid, &ready), 0);
	assert_int_equal(pid, child);
	assert_false(ready);
	close(from);
	close(fd);
	unlink(path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(settings_refuse_what_the_file_could_not_hold),
		cmocka_unit_test(settings_come_back_as_they_were_written),
		cmocka_unit_test(the_est_url_is_one_that_a_pump_can_use),
		cmocka_unit_test(a_template_with_an_unknown_word_is_refused),
		cmocka_unit_test(only_a_whole_line_makes_a_child_ready),
		cmocka_unit_test(a_bundle_holds_just_the_documented_members),
		cmocka_unit_test(no_anchor_is_taken_from_what_is_no_root),
		cmocka_unit_test(a_taken_port_is_passed_over),
		cmocka_unit_test(readiness_is_attested_by_the_kernel),
		cmocka_unit_test(a_log_never_grows_past_its_bound),
	};

	return cmocka_run_group_tests_name("pumpctl/home", tests, NULL, NULL);
}
