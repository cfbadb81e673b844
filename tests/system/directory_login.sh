#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# credd with the hospital's directory (slapd): logins by the directory's password, people whom only it
# knows, the import with its dry run, leavers, and what is left while the directory is away.
cd "$(dirname "$0")/../.." || exit 1
# shellcheck source=tests/support/tap.sh
. tests/support/tap.sh
# shellcheck source=tests/support/scratch.sh
. tests/support/scratch.sh
# shellcheck source=tests/support/pump_client.sh
. tests/support/pump_client.sh
# shellcheck source=tests/support/slapd.sh
. tests/support/slapd.sh
scratch_folder
trap 'slapd_stop; scratch_down' EXIT
slapd_folder "$SCRATCH/ldap" && slapd_load tests/support/hospital.ldif || exit 1
slapd_start good good || exit 1
(umask 077 && echo service-secret >"$SCRATCH/secret")
SCRATCH_SETTINGS="
[directory]
servers = ldaps://127.0.0.1:$SLAPD_TLS_PORT
ca_file = $SCRATCH/ldap/ca.pem
bind_dn = cn=pumpgate,dc=hospital
bind_secret_file = $SCRATCH/secret
user_base = ou=people,dc=hospital
user_filter = (&(objectClass=person)(|(uid=%u)(mail=%u)))
group_base = ou=groups,dc=hospital
unknown_users = accept
role1 = physician cn=pump-doctors,ou=groups,dc=hospital
role2 = nurse cn=pump-nurses,ou=groups,dc=hospital
retry_ms = 300
"
# shellcheck disable=SC2119
scratch_up || exit 1
site_up && pump_enrol PG-1 || exit 1
pumpctl cert list --json >"$SCRATCH/certs"
# shellcheck disable=SC2317
login() { # LINE...
	printf '%s\n' "$@" | timeout 60 "$PUMPGATE_BUILD/tools/cred_login" "$PUMPGATE_HOME/run/cred/sock" \
		"$(jq -r '.[0].issuer' "$SCRATCH/certs")" "$(jq -r '.[0].cert_serial' "$SCRATCH/certs")"
}
# shellcheck disable=SC2317 # called by check
audited() {
	sqlite3 -readonly "$PUMPGATE_HOME/cred/clinicians.db" \
		"SELECT actor, action, detail FROM audit ORDER BY seq DESC LIMIT 3" | grep -E "$1"
}
accounts() {
	pumpctl user list --json | jq -r '.[].name' | xargs
}

# ---- the import ----
check "a dry run counts and changes nothing" says 'dry run, nothing changed: 5 rows are good, 0 refused' \
	pumpctl user import --ldap --dry-run
check "who could not log in is left out with a remark" says 'gone is left out: disabled' \
	pumpctl user import --ldap --dry-run
check "so far nobody has an account" test "$(accounts)" = ''
check "the directory says what it has of a person" says '"state": *"no-role"' pumpctl user directory porter --json
check "and that it has nobody" says 'nobody of that name' fails_with 1 pumpctl user directory nobody

# ---- logins ----
check "a wrong password is refused" says '^refused accept=0' login 'nurse wrong'
check "an unknown name is refused" says '^refused accept=0' login 'nobody florence-1820'
check "a star is refused" says '^refused accept=0' login 'n* florence-1820'
check "an empty password is not understood" says '^malformed accept=0' login 'nurse'
check "who proves to be somebody else is refused" says '^refused accept=0' login 'mask florence-1820'
check "and the audit says why" audited '^-\|login.refused\|.*reason=directory-not-proven'
check "a right password without a role is told" says '^not-allowed accept=0' login 'porter porter-secret'
check "nobody got an account by that" test "$(accounts)" = ''
check "a nurse logs in by the directory alone" says '^ok accept=1 user=nurse role=nurse' login 'nurse florence-1820'
check "and has an account now" test "$(accounts)" = nurse
check "added by the directory" says 'directory\|user.add\|source=directory' sqlite3 -readonly \
	"$PUMPGATE_HOME/cred/clinicians.db" "SELECT actor, action, detail FROM audit WHERE action = 'user.add'"
check "the groups' first role counts" says '^ok accept=1 user=doctor role=physician' login 'doctor doctor-secret'
check "another name of the same person is the same account" says '^ok accept=1 user=nurse ' \
	login 'n.nurse@hospital florence-1820'
check "and gets no second one" test "$(accounts)" = 'doctor nurse'
pumpctl user disable nurse --reason 'a drill' >/dev/null
check "disabled here is refused, by the right password" says '^not-allowed accept=0' login 'nurse florence-1820'
check "also by another name" says '^not-allowed accept=0' login 'n.nurse@hospital florence-1820'
pumpctl user enable nurse >/dev/null

# ---- import and leavers ----
check "an import adds those who are new" says '^3 added, 2 unchanged, 0 refused' pumpctl user import --ldap
check "and again nothing" fails_with 2 pumpctl user import --ldap
check "a file and --ldap are one too many" fails_with 64 pumpctl user import --ldap people.csv
check "nobody has left" fails_with 2 pumpctl user leavers
printf 'dn: cn=pump-doctors,ou=groups,dc=hospital\nchangetype: modify\ndelete: member\nmember: cn=icu-doctors,ou=groups,dc=hospital\n' \
	>"$SCRATCH/change.ldif"
cat >>"$SCRATCH/change.ldif" <<'END'
-
add: member
member: cn=nobody,dc=hospital

dn: uid=reset,ou=people,dc=hospital
changetype: delete
END
LDAPTLS_CACERT=$SCRATCH/ldap/ca.pem ldapmodify -x -H "ldaps://127.0.0.1:$SLAPD_TLS_PORT" -D cn=root,dc=hospital \
	-w rootpw -f "$SCRATCH/change.ldif" >/dev/null || echo "# the directory was not changed"
check "who lost the group may not log in" says '^not-allowed accept=0' login 'doctor doctor-secret'
check "and is a leaver" says '^doctor: is in no group with a role' pumpctl user leavers
check "disabling wants the right number" says 'nothing is changed' fails_with 1 pumpctl user leavers --count 7
check "with it they are disabled" says '^1 accounts disabled' pumpctl user leavers --count 1
check "for the reason that was found" says 'is in no group with a role' pumpctl user show doctor

# ---- the directory is away ----
echo 482613 | pumpctl user badge nurse 90001 >/dev/null
echo 482614 | pumpctl user badge doctor 90002 >/dev/null
check "a badge of a directory account has the directory's role" says '^ok accept=1 user=nurse role=nurse' \
	login 'badge 90001 482613'
check "a badge with another PIN is refused" says '^refused accept=0' login 'badge 90001 482614'
pumpctl user enable doctor >/dev/null
check "and a badge whose owner lost the group" says '^not-allowed accept=0' login 'badge 90002 482614'
kill -STOP "$SLAPD_PID"
check "a directory that hangs is told from a wrong password" says '^try-again accept=0' login 'nurse florence-1820'
check "a badge without a role given here waits too" says '^try-again accept=0' login 'badge 90001 482613'
pumpctl user role nurse nurse >/dev/null
check "with a role given here it works" says '^ok accept=1 user=nurse' login 'badge 90001 482613'
check "status tells it" says 'no server of the directory answers' \
	bash -c 'for _ in 1 2 3; do pumpctl user directory nurse; done >/dev/null 2>&1; pumpctl status'
check "nobody counts as a leaver meanwhile" fails_with 75 pumpctl user leavers
kill -CONT "$SLAPD_PID"
check "it comes back" wait_until 20 says '^ok accept=1' login 'nurse florence-1820'
check "its servers are shown" says '^ldaps://127.0.0.1:[0-9]+ +good' pumpctl user directory
tap_done
