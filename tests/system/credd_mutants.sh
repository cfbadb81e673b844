#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# The tests of credd and of what a login packet is read by must notice when a rule is missing: each rule is
# taken out of a copy of its file, and its unit tests must then fail.
# shellcheck disable=SC2317,SC2016 # functions are called by check; $ in sed's patterns
cd "$(dirname "$0")/../.." || exit 1
# shellcheck source=tests/support/tap.sh
. tests/support/tap.sh
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cc=${CC:-gcc}
lib=${PUMPGATE_BUILD:-build}/lib

compile() { # SOURCE OBJECT
	"$cc" -std=gnu11 -D_GNU_SOURCE -DOPENSSL_API_COMPAT=30000 -I. -O0 -w -c -o "$2" "$1"
}
# Each subject: a test, and the sources of which one is changed; the rest comes from the libraries.
declare -A OF=(
	[throttle]="sql/credd/throttle.c" [judge]="sql/credd/judge.c"
	[text]="sql/wire/login_text.c" [hasher]="sql/credd/hasher.c"
	[packet]="radius_modules/rlm_clinician/login_packet.c"
	[logins]="sql/people/logins.c" [journals]="sql/people/journals.c" [users]="sql/people/users.c"
	[catch_up]="sql/people/catch_up.c" [withdrawals]="sql/people/withdrawals.c"
	[copies]="sql/people/copies.c"
)
declare -A TEST=(
	[throttle]=test_throttle [judge]=test_login_text [text]=test_login_text
	[hasher]=test_login_text [packet]=test_login_packet [logins]=test_people
	[journals]=test_people [users]=test_people
	[catch_up]=test_withdrawals [withdrawals]=test_withdrawals [copies]=test_withdrawals
)
for name in test_throttle test_login_text test_login_packet test_people test_withdrawals; do
	compile "tests/unit/credd/$name.c" "$work/$name.o" || exit 1
done

# build SUBJECT SOURCE: its tests over this copy. The object comes first, so the library's is not taken.
build() {
	compile "$2" "$work/mutant.o" &&
		"$cc" -o "$work/run" "$work/${TEST[$1]}.o" "$work/mutant.o" -Wl,--start-group \
			"$lib/librlm_clinician_core.a" "$lib/libcredd_core.a" "$lib/libpeople.a" \
			"$lib/libstore.a" "$lib/libradius_packet.a" "$lib/libcred_proto.a" \
			"$lib/libregistry_proto.a" "$lib/liblogin_text.a" "$lib/liblogin_wire.a" "$lib/libpolicies.a" \
			"$lib/libbase.a" -Wl,--end-group -lcmocka -lsodium -lsqlite3 -lidn -lcrypto \
			-levent -levent_pthreads -linih -lpthread
}
tests_fail() { ! timeout 60 "$work/run" >/dev/null 2>&1; }

for subject in "${!OF[@]}"; do
	build "$subject" "${OF[$subject]}" || exit 1
	check "the_tests_of_${subject}_hold" "$work/run"
done

# mutant SUBJECT SENTENCE SED-SCRIPT
mutant() {
	sed -E "$3" "${OF[$1]}" >"$work/mutant.c"
	if cmp -s "${OF[$1]}" "$work/mutant.c" || ! build "$1" "$work/mutant.c"; then
		check "a_mutant_can_be_made: $2" false
		return
	fi
	check "the_tests_notice: $2" tests_fail
}

mutant throttle "a wrong try of a user at a pump costs nothing" '/meter_charge\(&pair->meter/d'
mutant throttle "a wrong try at a pump costs nothing" '/meter_charge\(&pump->meter/d'
mutant throttle "the delay has no end" 's/delay < rule->max_ms \? delay : rule->max_ms/delay/'
mutant throttle "who was there before waits for others" \
	's/if \(!pair_is_known\(pump, pair\)\)/if (true)/'
mutant throttle "a pump may have any number at once" 's/ \|\| pump->in_flight >= [A-Z_]+\)/)/'
mutant throttle "a try is not given back when nobody could say" \
	's/if \(how == THROTTLE_FAILED\)/if (how != THROTTLE_SUCCEEDED)/'
mutant throttle "a failed try is given back" 's/if \(how == THROTTLE_FAILED\)/if (false)/'
mutant throttle "unlock reaches no pump" 's/p->meter = \(struct meter\)\{.at_ms = now_ms\};$/;/'
mutant throttle "what is worked on may be forgotten" 's/if \(p->in_flight == 0\)$/if (true)/'
mutant judge "a wrong secret is right" 's/\|\| !c->secret_right//'
mutant judge "an unknown account is one" 's/if \(!c->account_known \|\|/if (/'
mutant judge "a disabled account is not" 's/!c->enabled/false/'
mutant judge "an expired account is not" 's/c->expires_at && now_ms >= c->expires_at/false/'
mutant judge "a session outlives its account" 's/t->session_s = least\(.*/;/'
mutant judge "a verifier outlives its account" 's/t->offline_s = least\(.*/;/'
mutant logins "a login renews no hash" "s/SET hash = \?3 WHERE id = \?1 AND hash = \?2/SET hash = ?2 WHERE id = ?1 AND hash = ?2 AND ?3 = ?3/"
mutant judge "a role is not needed" 's/!c->has_role/false/'
mutant judge "a certificate need not be in force" 's/strcmp\(f->cert_state, "valid"\)/false/'
mutant judge "nor within its time" 's/now_ms < f->not_before \|\| now_ms > f->not_after/false/'
mutant judge "a revoked pump may" 's/strcmp\(f->device_state, "enrolled"\)/false/'
mutant text "a NUL is a character" 's/memchr\(in, 0, len\) \|\| //'
mutant text "a blank is part of a name" 's/<= 0x20 \|\| \*c == 0x7f/< 0x0a/'
mutant text "a PIN may be one digit" 's/same \|\| up/up/'
mutant hasher "nobody's hash can be right" 's/ == 0 && \*phc;/ == 0 || !*phc;/'
mutant hasher "the pepper is not used" 's/secret_data\(h->pepper\), secret_len\(h->pepper\)/(const unsigned char *)"", 0/'
mutant hasher "old parameters stay" 's/\*old = crypto_pwhash_str_needs_rehash.*/*old = false;/'
mutant packet "a second name is taken" 's/out->name.len \|\| a->len == 0/a->len == 0/'
mutant packet "a second password is taken" 's/out->password.len \|\| len == 0/len == 0/'
mutant packet "a password ends at its first NUL" \
	's/out->password.len = \(uint32_t\)len;/out->password.len = (uint32_t)strnlen((char *)out->password.data, len);/'
mutant packet "a contact may have a password" 's/if \(\*contact_out && out->password.len\)/if (false)/'
mutant packet "a login needs no password" 's/\(!out->name.len \|\| !out->password.len\)/!out->name.len/'
mutant packet "the blob has no end" 's/if \(a.len > sizeof\(out->says.data\) - out->says.len\)/if (false)/'
mutant logins "a disabled account's login is stored" "s/ AND state = 'enabled'//; s/\" AND u.state = 'enabled'\)\"/\")\"/"
mutant logins "a changed secret's login is stored" 's/AND pin_hash = \?2/AND ?2 = ?2/'
mutant logins "any role counts anywhere" "s/ur.ward IN \(''\, \?2\)/?2 = ?2/"
mutant logins "the particular role does not come first" "s/ORDER BY ur.ward = ''/ORDER BY ur.ward <> ''/"
mutant journals "a record is stored twice" 's/r->seq <= \(uint64_t\)last/false/; s/r->seq != \(uint64_t\)last \+ 1/false/'
mutant journals "a record may be left out" 's/r->seq != \(uint64_t\)last \+ 1/false/'
mutant journals "an old file of verifiers is fine" 's/says->generation < \(uint64_t\)had;/false;/'
mutant journals "control characters go into the audit" '/visible\(r.user\)/d'
mutant users "disabling makes no tombstone" 's/if \(!rc && disable\)$/if (false)/'
mutant users "a badge goes to whoever asks" 's/if \(!rc && owner != user\)/if (false)/'
mutant catch_up "an old copy brings disabled users back" '/return hold\(c, x, DISABLED_LATER\);/s/.*/return 0;/'
mutant catch_up "an old password counts again" '/return hold\(c, x, CHANGED_LATER\);/s/.*/return 0;/'
mutant catch_up "being enabled makes an old password good" "s/AND state_reason = '\" DISABLED_LATER/AND '' <> '\" DISABLED_LATER/"
mutant catch_up "pumps keep verifiers from before" 's/epoch \+ 1 > now_s \? epoch \+ 1 : now_s/c->epoch/'
mutant catch_up "pumps do not hear of it again" 's/rc = tombstone_add\(db, id, by->at\);/return ERR_NOT_FOUND;/'
mutant catch_up "a missing list is not told" 's/c.gap.list_began = true/c.gap.list_began = false/'
mutant withdrawals "half a line is kept" 's/if \(from \+ n < st.st_size \&\&/if (false \&\&/'
mutant copies "a changed backup is taken" 's/if \(!rc \&\& strcmp\(got, n->sum\) != 0\)/if (false)/'
mutant copies "a backup under another key is taken" 's/if \(!rc \&\& strcmp\(n.pepper, pepper\) != 0\)/if (false)/'
mutant copies "old break-glass codes are good again" "s/state = 'void' WHERE state = 'open'/state = 'open' WHERE state = 'open'/"
tap_done
