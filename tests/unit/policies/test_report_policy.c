/* SPDX-License-Identifier: BSD-2-Clause */
/* [report] of pumpgate.conf, and which version is older. */
#include "tests/support/cmocka.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "policies/report_policy.h"

static int policy(const char *text, struct report_policy *out)
{
	char path[] = "/tmp/report-policy-XXXXXX";
	AUTO_CONFIG c = NULL;
	int fd = mkstemp(path);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	close(fd);
	assert_int_equal(config_read(path, &c), 0);
	unlink(path);
	return report_policy_read(c, out);
}

static void settings_that_can_not_be_meant_are_refused(void **state)
{
	struct report_policy p;

	(void)state;
	assert_int_equal(policy("[report]\nmin_version = newest\n", &p), ERR_INVALID);
	assert_int_equal(policy("[report]\nquarantine = yes\n", &p), ERR_INVALID);
	assert_int_equal(policy("[report]\nmin_version = 1.2\nquarantine = maybe\n", &p),
			 ERR_INVALID);
	assert_int_equal(policy("[report]\nmin_version = 1.2\npumps_per_hour = 0\n", &p),
			 ERR_INVALID);
	assert_int_equal(policy("[report]\nminimum = 1.2\n", &p), ERR_INVALID);
}

static void everything_is_off_by_default(void **state)
{
	struct report_policy p;

	(void)state;
	assert_int_equal(report_policy_read(NULL, &p), 0);
	assert_false(report_is_old(&p, "0.0.1"));
	assert_int_equal(p.old.quarantine, 0);
	assert_int_equal(policy("[report]\nmin_version = 1.2\n", &p), 0);
	assert_int_equal(p.old.quarantine, 0);
	assert_true(report_is_old(&p, "1.1.9"));
	assert_false(report_is_old(&p, "1.2"));
	assert_true(report_is_old(&p, "unknown"));
}

static void quarantine_is_for_old_software_alone_and_capped(void **state)
{
	struct anomaly_history h = {.pumps = 2};
	struct report_policy p;

	(void)state;
	assert_int_equal(policy("[report]\nmin_version = 1.2\nquarantine = yes\n"
				"pumps_per_hour = 2\n",
				&p),
			 0);
	assert_int_equal(anomaly_decide(&p.old, ANOMALY_TWO_MACS, "PG-1", &h), ANOMALY_ALARM);
	assert_int_equal(anomaly_decide(&p.old, ANOMALY_OLD_SOFTWARE, "", &h), ANOMALY_ALARM);
	assert_int_equal(anomaly_decide(&p.old, ANOMALY_OLD_SOFTWARE, "PG-1", &h),
			 ANOMALY_QUARANTINE);
	h.pumps = 3;
	assert_int_equal(anomaly_decide(&p.old, ANOMALY_OLD_SOFTWARE, "PG-1", &h), ANOMALY_CAPPED);
}

static void versions_are_compared_number_by_number(void **state)
{
	(void)state;
	assert_true(report_version_compare("1.9", "1.10") < 0);
	assert_true(report_version_compare("1.10.0", "1.10") == 0);
	assert_true(report_version_compare("2", "1.99.99") > 0);
	assert_true(report_version_compare("1.2-rc1", "1.2") == 0);
	assert_true(report_version_compare("1.2-rc1", "1.2.1") < 0);
	assert_true(report_version_compare("99999999999999999999999999999999",
					   "1000000000000000000") == 0);
	assert_true(report_version_compare("01.2", "1.2") == 0);
	assert_false(report_version_is(""));
	assert_false(report_version_is("v1"));
	assert_true(report_version_is("1.2+build~3"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(settings_that_can_not_be_meant_are_refused),
		cmocka_unit_test(everything_is_off_by_default),
		cmocka_unit_test(quarantine_is_for_old_software_alone_and_capped),
		cmocka_unit_test(versions_are_compared_number_by_number),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
