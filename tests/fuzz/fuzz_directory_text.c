/* SPDX-License-Identifier: BSD-2-Clause */
/* What a directory or a person can put into texts: names, filters' values, DNs, diagnostics. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "sql/directory/account_state.h"
#include "sql/directory/ldap_text.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = malloc(size + 1), normal[1024];
	AUTO_BUF filter = {.max = 8192};
	struct filter_values v;
	struct ldap_address a;

	if (!text)
		return 0;
	memcpy(text, data, size);
	text[size] = '\0';
	v = (struct filter_values){.user = text, .dn = text};
	/* whatever stands in the values, it stays one filter */
	if (!filter_build("(&(uid=%u)(member=%d))", &v, &filter) && buf_cstr(&filter) &&
	    !filter_is_valid(buf_cstr(&filter)))
		abort();
	if (!dn_normal(text, normal, sizeof(normal)) && !authzid_is("dn:cn=x", "cn=x", ""))
		abort();
	(void)!authzid_is(text, "uid=nurse,dc=hospital", "nurse");
	(void)!ldap_text_is_clean(text);
	(void)!ldap_address_parse(text, &a);
	(void)bind_refusal_of(text);
	for (size_t i = 0; account_state_attributes[i]; i++)
		(void)account_state_of(account_state_attributes[i], text, 1795000000000);
	free(text);
	return 0;
}
