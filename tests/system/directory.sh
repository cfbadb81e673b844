#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Logins against a real slapd over TLS: who is let through, who is refused and why, and what happens
# when a server lies, hangs or is away. Then the same questions to copies of the library from which
# one check was taken out: these tests must notice each.
cd "$(dirname "$0")/../.." || exit 1
# shellcheck source=tests/support/tap.sh
. tests/support/tap.sh
# shellcheck source=tests/support/slapd.sh
. tests/support/slapd.sh
build=${PUMPGATE_BUILD:-build}
cc=${CC:-gcc}
work=$(mktemp -d "${TMPDIR:-/tmp}/pumpgate-directory.XXXXXX")
chmod 0755 "$work"
trap 'slapd_stop; rm -rf "$work"' EXIT
probe=$build/tools/directory_probe

slapd_folder "$work/ldap" && slapd_load tests/support/hospital.ldif || exit 1
slapd_start good good || { cat "$work/ldap/good.log" >&2; exit 1; }
good=ldaps://127.0.0.1:$SLAPD_TLS_PORT clear=ldap://127.0.0.1:$SLAPD_PORT good_pid=$SLAPD_PID
slapd_start other other || exit 1
other=ldaps://127.0.0.1:$SLAPD_TLS_PORT other_clear=ldap://127.0.0.1:$SLAPD_PORT
slapd_start untrusted untrusted || exit 1
untrusted=ldaps://127.0.0.1:$SLAPD_TLS_PORT
nobody=ldaps://127.0.0.1:$((SLAPD_PORT + 2)) # a port where nothing listens
(umask 077 && echo service-secret >"$work/secret" && echo wrong >"$work/wrong-secret" &&
	: >"$work/empty-secret")

# conf "SERVERS" [LINE...]: $work/conf
conf() {
	local servers=$1
	shift
	cat >"$work/conf" <<-END
		[directory]
		servers = $servers
		ca_file = $work/ldap/ca.pem
		bind_dn = cn=pumpgate,dc=hospital
		bind_secret_file = $work/secret
		user_base = ou=people,dc=hospital
		group_base = ou=groups,dc=hospital
		role1 = doctor ward=ICU cn=pump-doctors,ou=groups,dc=hospital
		role2 = nurse cn=pump-nurses,ou=groups,dc=hospital
		retry_ms = 300
	END
	[ $# = 0 ] || printf '%s\n' "$@" >>"$work/conf"
}

# ask COMMAND...: the answers of one run, one line per command
ask() {
	printf '%s\n' "$@" | timeout 60 "$probe" "$work/conf" 2>&1
}

# shellcheck disable=SC2317 # the functions below are called by check
log_lacks() {
	! grep -E "$1" "$work/ldap/good.log"
}
nurse="login nurse florence-1820"

# ---- refusals ----
conf "$good"
check "a wrong password is refused" says '^wrong-password account=nurse .* roles= ' ask 'login nurse wrong'
check "an unknown name is refused" says '^unknown account= ' ask 'login nobody florence-1820'
check "an unknown name costs a bind too" grep -q 'BIND dn="cn=nobody-of-pumpgate,' "$work/ldap/good.log"
check "two entries of one name are refused" says '^ambiguous ' ask 'login twin twin-secret'
check "a star is a name, not a pattern" says '^unknown ' ask 'login n* florence-1820'
check "brackets do not end the filter" says '^unknown ' ask 'login nurse)(uid=*) florence-1820'
check "a name of odd characters is found by them alone" says "^good account=o'hara\(\*\)\\\\ " \
	ask "login o'hara(*)\\ odd-secret"
check "a right password without a group is refused" says '^no-role account=porter ' ask 'login porter porter-secret'
check "an account that is locked for good is disabled" says '^(disabled|wrong-password) account=gone ' \
	ask 'login gone gone-secret'
check "a password that must be changed is refused" says '^must-change account=reset ' ask 'login reset reset-secret'
check "a bind that ends as somebody else proves nothing" says '^not-proven account=mask .*whoami: dn:uid=nurse' \
	ask 'login mask florence-1820'
before=$(wc -l <"$work/ldap/good.log")
check "an empty password is refused" says '^wrong-password .* server= ' ask 'login nurse'
check "the server hears nothing of an empty password" test "$(wc -l <"$work/ldap/good.log")" = "$before"
conf "$nobody"
check "an empty password needs no server to be refused" says '^wrong-password ' ask 'login nurse'
check "no server is no refusal and no acceptance" says '^undecided .*note=.*connect: Connection refused' ask "$nurse"

# ---- a server that is not the one it should be ----
for server in "$other" "$other_clear"; do
	conf "$server"
	check "another name in the certificate is refused: ${server%%:*}" says '^undecided .*note=.*TLS' ask "$nurse"
done
conf "$untrusted"
check "a certificate of a CA that is not ours is refused" says '^undecided .*note=.*TLS' ask "$nurse"
check "neither was given the service account's password" fails_with 1 grep -q 'BIND' "$work/ldap/other.log" "$work/ldap/untrusted.log"
conf "$good"
sed -i "s/secret$/wrong-secret/" "$work/conf"
check "a refused service account opens the breaker at once, lest it be locked out" \
	says 'open=1 failures=1 text=the service account is refused' ask "$nurse" "$nurse" health
for line in "bind_secret_file = $work/empty-secret" "bind_secret_file = $work/ldap/ca.pem" \
	'servers = http://127.0.0.1' 'user_filter = (uid=%u' 'user_filter = (uid=x)' 'role3 = nurse' \
	'ca_file = /nowhere' 'kind = novell' 'no_such = setting'; do
	conf "$good"
	sed -i "/^${line%% *} /d" "$work/conf"
	echo "$line" >>"$work/conf"
	check "a bad setting is named: $line" says "\[directory\]|bind_dn" fails_with 1 "$probe" "$work/conf" </dev/null
done

# ---- logins ----
conf "$clear"
check "a good password lets through over StartTLS" says '^good account=nurse name=Nora Nurse .*roles=nurse// server=ldap:' \
	ask "$nurse"
check "no bind went over the wire in the clear" log_lacks 'BIND dn=.* ssf=0'
conf "$good"
check "a good password lets through over LDAPS" says '^good account=nurse .*roles=nurse// server=ldaps:' ask "$nurse"
check "a group in a group in a group gives its role, a circle of groups ends" \
	says '^good account=doctor .*roles=doctor/ICU/,nurse// ' ask 'login doctor doctor-secret'
check "without the password the same person is found" says '^good account=nurse .*roles=nurse// ' ask 'find nurse'
check "one connection serves the searches of many logins" says '^good=16 of=16' \
	ask "$nurse" 'many 16 nurse florence-1820'
conf "$good" 'groups = memberof'
check "memberOf gives no role that the server does not tell" says '^no-role account=nurse ' ask "$nurse"
conf "$good" 'group_depth = 1'
check "group_depth bounds the steps" says '^no-role account=doctor ' ask 'login doctor doctor-secret'
conf "$good"
check "the list has each person of a group once, with all roles" test "$(ask list |
	sed -nE "s/^person account=(.*) name=.* state=([a-z-]*) roles=(.*)$/\1 \2 \3/p" | sort)" = "doctor good doctor/ICU/,nurse//
gone disabled nurse//
mask good nurse//
nurse good nurse//
o'hara(*)\\ good nurse//
reset must-change nurse//
twin good nurse//"
check "a list is bounded" says '^limit .*more than 3 people' ask 'list 3'

# ---- servers that are away or hang ----
conf "$nobody $good"
check "the second server answers when the first is away" says "^good .*server=$good .*note=$nobody: connect" ask "$nurse"
check "after three failures the first is left alone" \
	says "note=$nobody: left alone" ask "$nurse" "$nurse" "$nurse" "$nurse"
conf "$good $other" 'connect_ms = 200' 'answer_ms = 300' 'login_ms = 2000'
exec 3> >(timeout 60 "$probe" "$work/conf" >"$work/out" 2>&1)
# shellcheck disable=SC2317
lines_above() {
	[ "$(wc -l <"$work/out")" -gt "$1" ]
}
# shellcheck disable=SC2317
talk() { # COMMAND PATTERN: asks the one that runs and waits for the answer
	local n

	n=$(wc -l <"$work/out")
	echo "$1" >&3
	wait_until 20 lines_above "$n" || return
	says "$2" tail -n 1 "$work/out"
}
check "it answers" talk "$nurse" '^good '
kill -STOP "$good_pid"
check "a server that stops answering is given up" talk "$nurse" '^undecided .*no answer'
check "so is one that takes connections and says nothing" talk "$nurse" '^undecided .*(TLS|connect): no answer'
check "and the breaker opens" talk "$nurse" '^undecided '
check "which refuses at once" talk "$nurse" '^undecided .* ms=[0-9]{1,2} .*left alone'
check "health tells it" talk health "$good open=1"
kill -CONT "$good_pid"
check "it recovers" wait_until 20 talk "$nurse" '^good '
check "and is healthy again" talk health "$good open=0 failures=0"
exec 3>&-

# ---- mutants ----
case $build in *address* | *thread*)
	skip "directory_mutants" "the plain build is enough"
	tap_done
	;;
esac
real=$probe
# mutant SENTENCE SOURCE SED-SCRIPT: $probe
mutant() {
	sed -E "$3" "sql/directory/$2.c" >"$work/mutant.c"
	if cmp -s "sql/directory/$2.c" "$work/mutant.c"; then
		check "mutant applies: $1" false
		return 1
	fi
	# shellcheck disable=SC2046 # lists of words
	"$cc" -std=gnu11 -D_GNU_SOURCE -I. -pthread -w -o "$work/probe" "$work/mutant.c" \
		"$build/obj/tests/support/directory_probe.o" \
		$(find "$build/obj/sql/directory" "$build/obj/base" -name '*.o' |
			grep -v -e "/directory/$2\.o$" -e '/cage\.o$') \
		-lldap -llber -lsodium -levent -levent_pthreads -linih || {
		check "mutant links: $1" false
		return 1
	}
	probe=$work/probe
}
notices() { # SENTENCE PATTERN-THAT-MUST-BE-MISSING COMMAND...
	local name=$1 pattern=$2
	shift 2
	check "noticed: $name" fails_with 1 says "$pattern" "$@"
	probe=$real
}
conf "$other"
if mutant "name check off" conn 's/demand = LDAP_OPT_X_TLS_DEMAND/demand = LDAP_OPT_X_TLS_ALLOW/'; then
	notices "name check off" '^undecided .*note=.*TLS' ask "$nurse"
fi
conf "$good"
if mutant "empty password let through" login 's/!l->password_len \|\| //'; then
	notices "empty password let through" '^wrong-password .* server= ' ask 'login nurse'
fi
if mutant "whoami unchecked" login 's/if \(!authzid_is\(who, dn, l->answer->person.account\)\)/if (0)/'; then
	notices "whoami unchecked" '^not-proven ' ask 'login mask florence-1820'
fi
if mutant "values are not escaped" ldap_text \
	's/ldap_bv2escaped_filter_value\(&in, &escaped\)/(ber_dupbv(\&escaped, \&in), 0)/'; then
	notices "values are not escaped" '^unknown ' ask 'login n* florence-1820'
fi
if mutant "the second hit is not looked for" person 's/\.max = 2\}/.max = 1}/; s/rc && f.n < 2/0/'; then
	notices "the second hit is not looked for" '^ambiguous ' ask 'login twin twin-secret'
fi
tap_done
