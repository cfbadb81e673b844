#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# The store's unit tests must notice when a single check of issuing or revocation is missing: each is
# taken out of a copy in turn, and the tests must then fail.
cd "$(dirname "$0")/../.." || exit 1
# shellcheck source=tests/support/tap.sh
. tests/support/tap.sh
build=${PUMPGATE_BUILD:-build}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cc=${CC:-gcc}
[ -w /dev/shm ] && export TMPDIR=/dev/shm # these runs need no disk
case $build in *address* | *thread*)
	skip "store_mutants" "the plain build is enough"
	tap_done
	;;
esac

# link NAME TEST [OBJECT-INSTEAD FILE]: a unit test, one object of the store replaced
link() {
	local objects

	objects=$(find "$build/obj/sql/store" "$build/obj/sql/proto" "$build/obj/base" \
		"$build/obj/policies" -name '*.o' |
		grep -v "/${3:-none}\$")
	# shellcheck disable=SC2086 # lists of words
	"$cc" -pthread -o "$work/$1" "$build/obj/tests/unit/sql/$2.o" \
		"$build/obj/tests/unit/sql/fixture.o" $objects ${4:-} -lcmocka -lsqlite3 -lsodium \
		-levent -levent_pthreads -linih -lseccomp
}

# shellcheck disable=SC2317 # called by check
fails() {
	! timeout 60 "$1" >/dev/null 2>&1
}

# mutant SENTENCE FILE TEST SED-SCRIPT
mutant() {
	local file=$2 test=$3

	sed -E "$4" "sql/store/$file.c" >"$work/$file.c"
	if cmp -s "sql/store/$file.c" "$work/$file.c"; then
		check "mutant_applies: $1" false
		return
	fi
	if ! "$cc" -std=gnu11 -D_GNU_SOURCE -I. -I"$build/gen" -fPIE -pthread -O1 -w -c \
		-o "$work/$file.o" "$work/$file.c" || ! link mutant "$test" "$file.o" "$work/$file.o"; then
		check "mutant_builds: $1" false
		return
	fi
	check "tests_notice: $1" fails "$work/mutant"
}

link plain test_issue || exit 1
check "the_tests_hold_without_a_mutation" "$work/plain"
mutant "a disabled maker vouches" issue_idevid test_makers 's/ AND m.enabled = 1//'
mutant "any maker's anchor will do" issue_idevid test_makers 's/a.sha256 = \?1 AND m.name = \?2/(a.sha256 = ?1 OR m.name = ?2)/'
mutant "the inventory's maker is not compared" issue_idevid test_makers 's/strcmp\(device->maker, rq->maker\) != 0/0/'
mutant "the model is not checked" issue_idevid test_makers 's/!maker_models_has\(models, device->model, rq->hw_type\)/0/'
mutant "the hwType is not compared" maker_models test_makers 's/!e.oid \|\|/1 ||/'
mutant "a disabled maker vouches on the network" facts test_makers 's/ AND m.enabled = 1//'
mutant "any model is vouched for on the network" facts test_makers 's/maker_models_has\(models, model, NULL\)/*models/'
mutant "makers stay trusted after a restore" ledger test_makers 's/UPDATE makers SET enabled = 0/UPDATE makers SET enabled = 1/'
mutant "an enrolled pump enrols again" issue_idevid test_makers 's/strcmp\(device->state, "expected"\)/0/'
mutant "two keys may be reserved" issue_idevid test_makers 's/if \(n\)$/if (0)/'
mutant "a revoked pump enrols" issue_idevid test_makers 's/!strcmp\(device->state, "revoked"\)/0/'
mutant "an anchor may be two makers'" makers test_makers 's/INSERT INTO maker_anchors/INSERT OR REPLACE INTO maker_anchors/'
mutant "any token is taken" issue test_issue \
	's/rc \|\| !secret_equal\(hash, sizeof\(hash\), stored.data, stored.len\)/rc/'
mutant "a token past its time is taken" issue test_issue 's/now > token.expires_at/0/'
mutant "a replaced token is taken" issue test_issue 's/if \(strcmp\(token.state, "open"\)\)/if (0)/'
mutant "a token is not burnt" issue test_issue "s/UPDATE tokens SET state = 'used'/UPDATE tokens SET state = 'open'/"
mutant "an unknown pump is told apart" issue test_issue \
	's/device->id < 0 \|\| !token.id/device->id >= 0 \&\& !token.id/'
mutant "a key of another pump is taken" issue test_issue 's/!rc && others/0/'
mutant "a revoked pump may enrol" issue test_issue \
	's/if \(!strcmp\(device->state, "revoked"\)\)/if (0)/'
mutant "a revoked pump's certificate comes into force" issue test_issue \
	's/revoked = !strcmp\(res.device_state, "revoked"\)/revoked = 0/'
mutant "an expired certificate is renewed" issue test_issue 's/now > not_after/0/'
mutant "an expired certificate is renewed without the signer's word" issue test_issue 's/ && !rq->late//'
mutant "a pump comes back twice" issue test_issue 's/if \(!rc \&\& n\)/if (0)/'
mutant "a certificate that is not in force is renewed" issue test_issue \
	's/strcmp\(state, "valid"\) \|\| strcmp\(device->state, "enrolled"\)/0/'
mutant "another pump's certificate is renewed" issue test_issue \
	's/\*rq->device && strcmp\(rq->device, device->serial\)/0/'
mutant "a part of a group is not undone" db test_issue 's/"ROLLBACK TO part; RELEASE part"/"RELEASE part"/'
mutant "one part's end undoes the group" db test_issue 's/"ROLLBACK TO part; RELEASE part"/"ROLLBACK"/'
mutant "a part commits by itself" db test_issue 's/if \(db_is_idle\(db\)\)$/if (0)/'
mutant "the wired window stays open" issue test_issue \
	's/UPDATE devices SET mab_until = 0 WHERE/UPDATE devices SET mab_until = mab_until WHERE/'
mutant "older tokens stay good" tokens test_issue "s/SET state = 'void'/SET state = 'open'/"
link plain test_approvals || exit 1
check "the_tests_of_approvals_hold_without_a_mutation" "$work/plain"
mutant "an approval is for the pump, not for the key" approvals test_approvals \
	's/WHERE device_id = \?1 AND spki_sha256 = \?2"/WHERE device_id = ?1 AND ?2 = ?2"/'
mutant "an approval is spent for any key" approvals test_approvals \
	"s/\" AND spki_sha256 = \?2 AND state = 'approved'/\" AND ?2 = ?2 AND state = 'approved'/"
mutant "a few digits name a key" approvals test_approvals 's/len < KEY_DIGITS_MIN/0/'
mutant "a denied key waits again" approvals test_approvals 's/!strcmp\(state, "denied"\)/0/'
mutant "an approval never ends" approvals test_approvals \
	's/!strcmp\(state, "approved"\) && in_time/!strcmp(state, "approved")/'
mutant "one pump may fill the queue" approvals test_approvals 's/own >= WAITING_OF_ONE_MAX/0/'
mutant "no one is asked" issue test_approvals 's/!rc && rq->unproven/0/'
mutant "certificates stay in force after a revocation" revoke test_revoke \
	"s/UPDATE certificates SET state = 'revoked'/UPDATE certificates SET state = state/"
mutant "tokens stay good after a revocation" revoke test_revoke \
	"s/UPDATE tokens SET state = 'void'/UPDATE tokens SET state = 'open'/"
mutant "a revocation leaves no order" revoke test_revoke 's/!rc && i < n; i\+\+/0; i++/'
mutant "a quarantine leaves no order" revoke test_placement 's/!rc && i < n; i\+\+/0; i++/'
mutant "a revoked pump is released" placement test_placement 's/if \(!strcmp\(state, "revoked"\)\)/if (0)/'
mutant "a pump without a certificate is placed" placement test_placement 's/if \(strcmp\(state, "enrolled"\)\)/if (0)/'
mutant "a pump is placed in a zone that is not there" placement test_placement 's/if \(!rc && !n\)/if (0)/'
mutant "a placed pump gets its own zone" facts test_placement 's/query_i64\(q, 10\) \? 11 : 6/6/'
mutant "a revoked pump counts as placed" revoke test_placement 's/, placement = NULL WHERE/ WHERE/'
mutant "whoever requested a recall may confirm it" recall test_recall \
	's/head->uid == who->uid/0/'
mutant "a large recall needs nobody else" recall test_recall \
	's/head->pumps \+ lately > RECALL_ALONE_MAX/0/'
mutant "small recalls add up" recall test_recall 's/head->pumps \+ lately/head->pumps/'
mutant "the number of pumps is not held against the list" recall test_recall \
	's/\(uint64_t\)head->pumps == rq->pumps/1/'
mutant "an old request is confirmed" recall test_recall \
	's/who->by.at - head->requested_at > RECALL_LAPSE_MS/0/'
mutant "a recall goes on that was stopped" recall_run test_recall 's/return rc \|\| n \? rc/return 1 ? rc/'
mutant "a pump is recalled that had been revoked" recall_run test_recall \
	's/rc == ERR_UNCHANGED\)/0)/'
mutant "a restored copy goes on with a recall" ledger test_recall \
	"s/SET state = 'paused' WHERE state = 'running'/SET state = state WHERE state = 'running'/"
mutant "a late session is taken for covered" orders test_revoke 's/\*out = n > 0/*out = true/'
mutant "an order is given out twice" orders test_orders 's/DB_I\(now \+ LEASE_MS\)/DB_I(now)/'
mutant "silence settles an order" orders test_orders \
	's/return strcmp\(r->result, "unsendable"\) \? "waiting" : "unsendable"/return "acked"/'
mutant "the audit hash leaves the detail out" audit test_audit \
	's/\{l->actor, l->action, l->object, l->detail\}/{l->actor, l->action, l->object}/'
mutant "the audit hash leaves the lengths out" audit test_audit \
	's/buf_put_u32\(&b, \(uint32_t\)strlen\(texts\[i\]\)\)/0/'
mutant "a revoked pump's word is kept" reports test_reports \
	's/return !strcmp\(a->cert_state, "valid"\) \&\&/return 1 ||/'
mutant "a name that is claimed counts" reports test_reports 's/if \(strcmp\(serial, r->device\) != 0\)/if (0)/'
mutant "an anchor of long ago counts" reports test_reports 's/r.at > \?2 AND instr/1 AND instr/'
mutant "anchors of pumps count as servers'" reports test_reports 's/instr\(r.server_anchors, \?1\) > 0/1/'
mutant "a pump that does not know counts as idle" pending test_pending "s/r.infusing = 'idle' AND/r.infusing <> 'infusing' AND/"
mutant "idleness of yesterday counts" pending test_pending "s/r.infusing = 'idle' AND r.at > \?1/r.infusing = 'idle'/"
mutant "the latest time passes by" pending test_pending 's/p.at_latest <= \?2\)/p.at_latest <= 0)/'
mutant "what is done waits on" revoke test_pending "s/ AND \(action = \?2 OR \?2 = 'revoke'\)/ AND 0/"
mutant "a quarantine ends what waits" revoke test_pending "s/ AND \(action = \?2 OR \?2 = 'revoke'\)//"
tap_done
