# SPDX-License-Identifier: BSD-2-Clause
$(call library,login_wire,$(wildcard sql/wire/*.c),)

$(call library,registry_proto,$(wildcard sql/proto/*.c),)

$(call library,store,$(wildcard sql/store/*.c),sqlite3 libsodium)
$(O)/obj/sql/store/schemas.o: $(patsubst %,$(O)/gen/%.inc,$(wildcard sql/schema/*/*.sql))

# the hospital's LDAP or Active Directory; knows no database of ours
$(call library,directory,$(wildcard sql/directory/*.c),ldap lber)

$(call program,pumpgate-registryd,$(wildcard sql/registryd/*.c),store registry_proto policies base,)
