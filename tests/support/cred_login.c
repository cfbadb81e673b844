/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Speaks to credd as radiusd's module would: cred_login SOCKET ISSUER SERIAL, and on standard input
 * lines "NAME PASSWORD" ("badge NUMBER PIN" by badge). One answer line each. For tests: passwords
 * stand in the clear on standard input.
 */
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/ipc_client.h"
#include "sql/proto/cred_records.h"
#include "sql/proto/cred_verbs.h"

#define WAIT_MS 10000

static int blob_set(struct cred_login *q, const char *name, const char *password)
{
	if (strlen(name) > sizeof(q->name.data) || strlen(password) > sizeof(q->password.data))
		return err_set(ERR_LIMIT, "too long");
	q->name.len = (uint32_t)strlen(name);
	memcpy(q->name.data, name, q->name.len);
	q->password.len = (uint32_t)strlen(password);
	memcpy(q->password.data, password, q->password.len);
	return 0;
}

static int pin_say(struct cred_login *q)
{
	const struct login_state state = {.method = "pin"};
	AUTO_BUF says = {.max = LOGIN_BLOB_MAX};
	int rc = login_item_put(&says, LOGIN_KIND_STATE, &record_login_state, &state);

	if (!rc) {
		q->says.len = (uint32_t)says.len;
		memcpy(q->says.data, says.data, says.len);
	}
	return rc;
}

static void ask(struct ipc_client *c, const char *issuer, const char *serial, char *line)
{
	struct cred_login q = {.source = "192.0.2.1"};
	struct cred_answer a;
	int64_t started_us = clock_mono_us();
	bool badge = !strncmp(line, "badge ", 6);
	char *name = badge ? line + 6 : line, *password = strrchr(name, ' ');
	int rc;

	if (password) /* a name may have blanks, a password not */
		*password++ = '\0';
	rc = blob_set(&q, name, password ? password : "");
	if (!rc && badge)
		rc = pin_say(&q);
	if (!rc)
		rc = str_copy(q.issuer, sizeof(q.issuer), issuer);
	if (!rc)
		rc = str_copy(q.cert_serial, sizeof(q.cert_serial), serial);
	if (!rc)
		rc = ipc_client_call(c, CRED_LOGIN, &record_cred_login, &q, 1, &record_cred_answer,
				     &a, 1, NULL, WAIT_MS);
	if (rc)
		printf("error %s %s\n", err_name(rc), err_text());
	else
		printf("%s accept=%d user=%s role=%s ms=%lld\n", a.result, a.accept, a.user, a.role,
		       (long long)(clock_mono_us() - started_us) / 1000);
}

int main(int argc, char **argv)
{
	AUTO_IPC_CLIENT c = NULL;
	char line[1024];

	if (argc != 4 || ipc_client_new(argv[1], "login", &c)) {
		fprintf(stderr, "usage: cred_login SOCKET ISSUER SERIAL\n");
		return 64;
	}
	setvbuf(stdout, NULL, _IOLBF, 0);
	while (fgets(line, sizeof(line), stdin)) {
		line[strcspn(line, "\n")] = '\0';
		ask(c, argv[2], argv[3], line);
	}
	return 0;
}
