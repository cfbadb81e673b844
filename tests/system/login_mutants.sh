#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# The tests of clinicians' logins on the pump, and of break-glass codes at the server, must notice
# when a single check is missing: each is taken out of a copy in turn, and the tests must then fail.
cd "$(dirname "$0")/../.." || exit 1
# shellcheck source=tests/support/tap.sh
. tests/support/tap.sh
build=${PUMPGATE_BUILD:-build}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cc=${CC:-gcc}
[ -w /dev/shm ] && export TMPDIR=/dev/shm # these runs need no disk
case $build in *address* | *thread*)
	skip "login_mutants" "the plain build is enough"
	tap_done
	;;
esac
lib=$build/lib
export LOGIN_MUTANTS=1

# link NAME TEST OBJECT...: a unit test with objects that take the place of the libraries' own
link() {
	local name=$1 test=$2 libs tests
	shift 2
	case $test in
	credd/*) libs=("$lib"/lib{people,store,cred_proto,registry_proto,login_wire,policies,base}.a) tests=() ;;
	*) libs=("$lib"/lib{login_shell,login_core,tpm_device,agent_shell,agent_core,login_text,login_wire}.a
			"$lib"/lib{radius_packet,ca_request,base}.a)
		tests=("$build"/obj/tests/unit/pump_agent/{login_server,pki,fake_chip,soft_tpm}.o) ;;
	esac
	"$cc" -pthread -o "$work/$name" "$build/obj/tests/unit/$test.o" "${tests[@]}" "$@" \
		-Wl,--start-group "${libs[@]}" -Wl,--end-group -lcmocka -lsodium -lcrypto -lssl -ljansson -levent_openssl \
		-lsqlite3 -lidn -levent -levent_pthreads -linih -lseccomp
}

# shellcheck disable=SC2317 # called by check
fails() {
	! timeout 60 "$1" >/dev/null 2>&1
}

# mutant SENTENCE FILE TEST SED-SCRIPT
mutant() {
	local file=$2 name
	name=$(basename "$file")

	sed -E "$4" "$file.c" >"$work/$name.c"
	if cmp -s "$file.c" "$work/$name.c"; then
		check "mutant_applies: $1" false
		return
	fi
	if ! "$cc" -std=gnu11 -D_GNU_SOURCE -I. -I"$build/gen" -fPIE -pthread -O1 -w -c \
		-o "$work/$name.o" "$work/$name.c" || ! link mutant "$3" "$work/$name.o"; then
		check "mutant_builds: $1" false
		return
	fi
	check "tests_notice: $1" fails "$work/mutant"
}

on=pump_agent/login
offline=pump_agent/test_offline
for test in pump_agent/test_{offline,vault,desk,vault_seal,tpm_device} credd/test_glass; do
	link plain "$test" || exit 1
	check "without_a_mutation_holds_$(basename "$test")" "$work/plain"
done
mutant "a try is counted after the PIN" $on/offline $offline 's/^\tp->failures\+\+;$//'
mutant "wrong PINs end nothing" $on/offline $offline 's/ && p->failures < p->failures_max//; s/p->failures < p->failures_max/1/'
mutant "an entry lives for ever" $on/offline $offline 's/o->age.age_ms - p->since_age_ms < .*1000;/true;/'
mutant "a server grants any time" $on/offline $offline 's/least\(g->offline_s, OFFLINE_LIFE_MAX_S\)/g->offline_s/'
mutant "a clock that was set back is believed" $on/offline $offline 's/if \(o->age.is_set_back\)/if (0)/'
mutant "time by the wall clock alone" $on/age $offline 's/same_boot \? now->boot_ms - a->boot_ms : wall_d/wall_d/'
mutant "a set-back clock forgets itself" $on/age $offline 's/a->is_set_back = a->is_set_back \|\| back;/a->is_set_back = back;/'
mutant "tombstones are not read" $on/offline $offline 's/changed = offline_drop_user\(o, n->tombstones.*$/;/'
mutant "a restored server's count is not noticed" $on/offline $offline 's/n->terms->tombstone < o->head.tombstone/0/'
mutant "a restored server waits for ever" $on/offline $offline 's/o->head.n_records \&\& o->records\[0\].seq > .*\)/0)/'
mutant "an old epoch counts" $on/offline $offline 's/p->epoch == o->head.epoch && //; s/^\t\tpeople_drop_all\(o\);$//'
mutant "the directory's password is kept as a PIN" $on/offline $offline 's/v->is_of_tpm : !g->directory;/v->is_of_tpm : true;/'
mutant "a password is kept without a TPM" $on/offline $offline 's/k->is_password \? v->is_of_tpm : !g->directory;/k->is_password || !g->directory;/'
mutant "a badge's number is a name" $on/offline $offline 's/p->is_password == k->is_password && !strcmp\(p->name/!strcmp(p->name/'
mutant "a code works twice" $on/offline $offline 's/o->codes\[i\].is_used = true;/;/'
mutant "the server's list makes a used code new" $on/offline $offline 's/k->is_used = o->codes\[j\].is_used;/;/'
mutant "a code lives on under an older clock" $on/offline $offline 's/now->wall_ms > o->age.wall_ms \? now->wall_ms : o->age.wall_ms/now->wall_ms/'
mutant "an old copy keeps its people" $on/offline $offline '/^void offline_roll_back/,/^}/s/^\tpeople_drop_all\(o\);$//'
mutant "another pump's store will do" $on/offline $offline 's/\|\| strcmp\(h->pump, pump\)//'
mutant "an old store is not noticed" $on/vault pump_agent/test_vault 's/v->offline.head.generation < mark/0/'
mutant "an old mark is not noticed" $on/vault pump_agent/test_vault 's/v->offline.head.generation > mark \+ 1/0/'
mutant "a store is not bound to its pump" $on/vault pump_agent/test_vault 's/, v->offline.head.pump\);/, "");/; s/rc \? rc : offline_check\(.*\);/rc;/'
mutant "a PIN is not bound to its pump" $on/pin_hash pump_agent/test_vault 's/text_put\(&h, who->pump\);//'
mutant "a PIN is not bound to the epoch" $on/pin_hash pump_agent/test_vault 's/crypto_generichash_update\(&h, epoch.*$//'
desk=pump_agent/test_desk
mutant "any server's name will do" pump_agent/tls_client $desk 's/X509_VERIFY_PARAM_set1_host\(param, name, 0\) == 1/1/'
mutant "any server will do" $on/radsec $desk 's/SSL_get_verify_result\(r->ssl\) != X509_V_OK \|\|//; s/rc = tls_client_expect\(r->ssl, s->name, false\);/SSL_set_verify(r->ssl, SSL_VERIFY_NONE, NULL); &/'
mutant "the next name is not taken" $on/radsec $desk 's/rc \? rc : next_name_take\(r->ssl, s->name\)/rc/'
mutant "the next name but one is taken too" $on/radsec $desk 's/if \(server_name_next\(name, next, sizeof\(next\)\)\)/char one[SERVER_NAME_MAX]; if (server_name_next(name, one, sizeof(one)) || server_name_next(one, next, sizeof(next)))/'
mutant "an unsigned answer will do" $on/answer $desk 's/radius_verify_reply\(&v, request->data \+ 4, SECRET, true\)/radius_verify_reply(\&v, request->data + 4, SECRET, false)/'
mutant "after a no the pump looks itself" $on/desk $desk 's/if \(!strcmp\(a.refusal.result, "try-again"\)\)/if (1)/'
mutant "codes are guessed without a pause" $on/desk $desk 's/if \(wait_us > 0\)/if (0)/'
mutant "what a tombstone took away comes back with a copy" $on/desk $desk 's/heard == OFFLINE_HEARD_LESS \? VAULT_FINAL : VAULT_LIGHT/VAULT_LIGHT/'
mutant "a used code comes back with a copy" $on/desk $desk 's/desk_keep\(d, VAULT_FINAL\) == 0/desk_keep(d, VAULT_LIGHT) == 0/'
offdesk=$on/desk_offline
mutant "outstanding tombstones do not matter" $offdesk $desk 's/d->is_behind \|\| //'
mutant "the agent keeps a password without a TPM" $offdesk $desk 's/ && d->vault->chip;/;/; s/int rc = vault_tpm_key_have\(d->vault\);/int rc = 0;/; s/rc = vault_tpm_mac\(v, bound, mac\);/rc = (memcpy(mac, bound, sizeof(bound)), 0);/'
mutant "a verifier is not bound to the TPM's key" $offdesk $desk 's/(rc = vault_tpm_mac\(v, bound, mac\);)/\1 memcpy(mac, bound, sizeof(bound));/'
mutant "a password is kept without the server's word" $offdesk $desk 's/entry->keep_password && //'
mutant "an old password stays beside none" $offdesk $desk 's/^\toffline_grant\(o, &t->key, &entry->grant, v.is_of_tpm.*$/\tif (v.is_of_tpm) offline_grant(o, \&t->key, \&entry->grant, \&v);/'
mutant "an offline login comes back with a copy" $offdesk $desk 's/desk_keep\(d, VAULT_HEAVY\) \?/desk_keep(d, VAULT_LIGHT) ?/'
seal=pump_agent/test_vault_seal
mutant "an old copy of everything is not noticed" $on/vault_seal $seal 's/return seal < value \? .*$/return NULL;/'
mutant "a counter that is gone is not noticed" $on/vault_seal $seal "s/return seal \\? \"the TPM's counter is gone\" : NULL;/return NULL;/"
mutant "a store that is gone is not noticed" $on/vault_seal $seal 's/if \(v->is_new\)/if (0)/; s/seal == value \|\|/!seal || seal == value ||/'
mutant "a pulled plug is taken for an old copy" $on/vault_seal $seal 's/ \|\| seal == value \+ 1\)/)/'
mutant "what was noticed is believed" $on/vault_seal $seal 's/^\t\toffline_roll_back\(.*$/\t\t;/'
mutant "the counter is never raised" $on/vault_seal $seal 's/rc : counter_raise\(v\);/rc : 0;/'
mutant "the counter is worn out" $on/vault_seal $seal 's/return h->seals_spent < SEALS_MAX;/return true;/'
mutant "what is final waits for room" $on/vault_seal $seal 's/ && weight != VAULT_FINAL\);/);/'
mutant "copies live for ever" $on/vault_seal $seal 's/>= SEAL_AGE_MS\)/>= 100 * SEAL_AGE_MS)/'
mutant "a TPM that is away costs people their passwords" $on/vault_seal $seal 's/return rc == ERR_CRYPTO \? key_make/return rc ? key_make/; s/int rc = chip_said\(v, chip_key_new\(.*$/int rc = 0;/'
device=pump_agent/test_tpm_device
mutant "a key that was not made in a TPM will do" pump_agent/tpm_device $device 's/p->objectAttributes == KEY_ATTRIBUTES/true/'
mutant "an index that can be written is a counter" pump_agent/tpm_counter $device 's/\(p->attributes & ~TPMA_NV_WRITTEN\) != COUNTER_ATTRIBUTES/false/'
glass=credd/test_glass
mutant "any pump uses any code" sql/people/glass $glass 's/ WHERE id = \?1 AND device = \?2 AND state/ WHERE id = ?1 AND state/'
mutant "codes do not end" sql/people/glass $glass 's/ AND not_after > \?2 ORDER/ ORDER/'
mutant "old envelopes stay good" sql/people/glass $glass 's/rc = rc \? rc : open_void\(db, w->device, &replaced\);//'
mutant "a review needs no name" sql/people/glass $glass 's/!\*r->person \|\| !\*r->reason/0/'
mutant "a lost store keeps its codes" sql/people/journals $glass 's/\(had > 0 \&\& !says->generation \&\& says->journal.len\)/0/'
tap_done
