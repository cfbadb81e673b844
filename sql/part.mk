# SPDX-License-Identifier: BSD-2-Clause
$(call library,login_wire,$(filter-out %/login_text.c,$(wildcard sql/wire/*.c)),)
$(call library,login_text,sql/wire/login_text.c,libidn)

$(call library,registry_proto,$(filter-out %/cred_records.c %/glass_records.c,$(wildcard sql/proto/*.c)),)
$(call library,cred_proto,sql/proto/cred_records.c sql/proto/glass_records.c,)

$(call library,store,$(wildcard sql/store/*.c),sqlite3 libsodium)
$(O)/obj/sql/store/schemas.o: $(patsubst %,$(O)/gen/%.inc,$(wildcard sql/schema/*/*.sql))

# the hospital's LDAP or Active Directory; knows no database of ours
$(call library,directory,$(wildcard sql/directory/*.c),ldap lber)

$(call library,serve,$(wildcard sql/serve/*.c),)

$(call program,pumpgate-registryd,$(wildcard sql/registryd/*.c),serve store registry_proto policies base,)

$(call library,people,$(wildcard sql/people/*.c),sqlite3 libsodium)

# what decides and remembers in credd, for tests too
CREDD_CORE := sql/credd/throttle.c sql/credd/spray.c sql/credd/judge.c sql/credd/hasher.c
$(call library,credd_core,$(CREDD_CORE),libsodium)
$(call program,pumpgate-credd,$(filter-out $(CREDD_CORE),$(wildcard sql/credd/*.c)),\
	credd_core directory people serve store cred_proto registry_proto login_text login_wire policies cage base,)
