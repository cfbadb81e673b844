#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# The audit against somebody who can write the database: a changed bit, a removed row, a swapped pair,
# a cut end, a chain made anew; and its rows handed to other systems.
cd "$(dirname "$0")/../.." || exit 1
# shellcheck source=tests/support/tap.sh
. tests/support/tap.sh
# shellcheck source=tests/support/scratch.sh
. tests/support/scratch.sh
SCRATCH_SETTINGS='
[ca]
checkpoint_s = 1
'
# shellcheck disable=SC2119
scratch_up || exit 1
sql() {
	sqlite3 -cmd '.timeout 10000' "$PUMPGATE_HOME/registry/registry.db" "$@"
}
zone() {
	pumpctl zone add "z$1" --vlan "$((100 + $1))" >/dev/null
}
# shellcheck disable=SC2317
signed_up_to() { # row
	[ "$(pumpctl audit checkpoints --json | jq '.[-1].seq // 0')" -ge "$1" ]
}
head_row() {
	sql 'SELECT max(seq) FROM audit'
}
# shellcheck disable=SC2317
signer_says() {
	grep -E "$1" "$PUMPGATE_HOME/log/signerd.log"
}
# attack SENTENCE SQL PATTERN: verify tells it, and is content again once it is undone
attack() {
	sql 'DROP TABLE IF EXISTS kept; CREATE TABLE kept AS SELECT * FROM audit;
		DROP TABLE IF EXISTS kept_head; CREATE TABLE kept_head AS SELECT * FROM audit_head'
	sql "$2"
	check "$1" says "$3" fails_with 1 pumpctl audit verify
	sql 'BEGIN; DELETE FROM audit; INSERT INTO audit SELECT * FROM kept;
		DELETE FROM audit_head; INSERT INTO audit_head SELECT * FROM kept_head; COMMIT'
}

for i in 1 2 3 4 5 6; do zone "$i"; done
last=$(head_row)
check "signerd signs the end within its time" wait_until 30 signed_up_to "$last"
check "a whole chain fits" says '^[1-9][0-9]* checkpoints fit' pumpctl audit verify
pumpctl audit checkpoints >"$SCRATCH/copy"
check "the log has the signed statement whole" signer_says \
	"signer.checkpoint statement=\"pumpgate-audit-checkpoint v1 .* head $last [0-9a-f]{64} -\" signature=[0-9a-f]{128}"

# ---- attacks ----
attack "a flipped bit is found" \
	"UPDATE audit SET detail = detail || 'x' WHERE seq = 3" 'row 3 does not fit its hash'
attack "a removed row is found" 'DELETE FROM audit WHERE seq = 4' 'row 4 is missing'
attack "a swapped pair is found" 'UPDATE audit SET seq = -3 WHERE seq = 3;
	UPDATE audit SET seq = 3 WHERE seq = 4; UPDATE audit SET seq = 4 WHERE seq = -3' 'row 3 does not fit'
cut="DELETE FROM audit WHERE seq > 3;
	UPDATE audit_head SET seq = 3, hash = (SELECT hash FROM audit WHERE seq = 3)"
attack "a cut end is found, though the chain is whole by itself" "$cut" \
	"the end is missing: signerd signed row [0-9]+ at"
check "undone, all fits again" wait_until 30 pumpctl audit verify
sql "$cut"
check "signerd notices it by itself" wait_until 30 signer_says 'no_checkpoint .*the end is missing'
check "status tells it" says 'signerd signs no checkpoint' pumpctl status
for i in 11 12 13 14 15 16 17; do zone "$i"; done
check "new rows in the place of those that were cut are others" says \
	'row [0-9]+ is not the one that signerd signed' fails_with 1 pumpctl audit verify
check "against a copy kept elsewhere as well" says 'row [0-9]+ is not the one' \
	fails_with 1 pumpctl audit verify --against "$SCRATCH/copy"
sed '$s/ [0-9]* head / 1795000000000 head /' "$SCRATCH/copy" >"$SCRATCH/forged"
check "a forged checkpoint is told" fails_with 1 pumpctl audit verify --against "$SCRATCH/forged"

# ---- a person accepts it ----
check "accepting needs a reason" fails_with 64 pumpctl audit accept
check "an admin accepts where it goes on" says 'accepted by ' pumpctl audit accept --reason 'a drill'
check "then it fits again, and who accepted it is told" says 'accepted that the chain goes on' pumpctl audit verify
check "signerd's log has the reason" signer_says 'chain_accepted .*reason="a drill"'
zone 18
check "signerd signs on" wait_until 30 signed_up_to "$(head_row)"
check "status is content" fails_with 1 says 'signerd signs no checkpoint' pumpctl status

# ---- the chain of clinicians and their logins ----
for i in 1 2 3 4; do pumpctl user add "nurse$i" --source directory --role nurse >/dev/null; done
# shellcheck disable=SC2317
logins_signed() {
	[ "$(pumpctl audit checkpoints --logins --json | jq '.[-1].seq // 0')" -ge 4 ]
}
check "signerd signs the chain of logins as well" wait_until 30 logins_signed
check "it fits" says '^[1-9][0-9]* checkpoints fit' pumpctl audit verify --logins
sqlite3 -cmd '.timeout 10000' "$PUMPGATE_HOME/cred/clinicians.db" 'DELETE FROM audit WHERE seq > 2;
	UPDATE audit_head SET seq = 2, hash = (SELECT hash FROM audit WHERE seq = 2)'
check "its cut end is found" says 'the end is missing: signerd signed row' fails_with 1 pumpctl audit verify --logins
check "the other chain is not concerned" pumpctl audit verify
check "it is accepted by itself" says 'accepted by ' pumpctl audit accept --logins --reason 'a drill'
check "and fits" pumpctl audit verify --logins
check "it is handed out by itself" test "$(pumpctl audit export --logins | jq -r .action | xargs)" = 'user.add user.add'

# ---- who runs Pumpgate ----
conf=$PUMPGATE_HOME/pumpgate.conf
cp "$conf" "$SCRATCH/conf"
check "an admin of nobody's name is refused" says 'no Unix user' fails_with 1 pumpctl admin add no-such-user --role viewer
check "a role that is none is refused" fails_with 64 pumpctl admin add nobody --role king
check "the last security officer stays" says 'the last' fails_with 1 pumpctl admin remove root
check "nor becomes less" says 'the last' fails_with 1 pumpctl admin role root viewer
check "nothing was written by all that" cmp "$conf" "$SCRATCH/conf"
check "a viewer is added" pumpctl admin add nobody --role viewer
check "once" says 'admin role' fails_with 1 pumpctl admin add nobody --role auditor
check "and becomes an auditor" pumpctl admin role nobody auditor
check "which the list says" test "$(pumpctl admin list --json | jq -r '.[] | .user + " " + .role' | xargs)" = \
	'root security-officer nobody auditor'
check "comments and all other settings stay" test "$(grep -vE '^(viewers|auditors) =' "$conf")" = "$(cat "$SCRATCH/conf")"
check "and is removed" pumpctl admin remove nobody
check "once" fails_with 2 pumpctl admin remove nobody

# ---- handed to other systems ----
check "every row is one JSON object" test "$(pumpctl audit export --after 0 | jq -r .seq | xargs)" = \
	"$(seq -s ' ' 1 "$(head_row)")"
check "and one RFC 5424 message" test "$(pumpctl audit export --format syslog |
	grep -cE '^<109>1 [0-9T:.-]+Z [^ ]+ pumpgate - [a-z._]+ \[pumpgate@32473 seq="[0-9]+" .*\]$')" = "$(head_row)"
# shellcheck disable=SC2317
export_on() {
	pumpctl audit export --output "$SCRATCH/out.jsonl" --state "$SCRATCH/state"
}
check "an export goes on where the last one ended" export_on
check "nothing new is told by the exit status" fails_with 2 export_on
zone 19
check "and only what is new comes" export_on
check "no row twice, none missing" test "$(jq -r .seq "$SCRATCH/out.jsonl" | xargs)" = \
	"$(seq -s ' ' 1 "$(head_row)")"
cat >"$SCRATCH/listen.pl" <<'END'
use IO::Socket::UNIX;
my $s = IO::Socket::UNIX->new(Type => SOCK_DGRAM, Local => "$ARGV[0].new") or die;
rename "$ARGV[0].new", $ARGV[0];
for (1 .. $ARGV[1]) { $s->recv(my $m, 65536); print "$m\n"; }
END
timeout 30 perl "$SCRATCH/listen.pl" "$SCRATCH/log" "$(head_row)" >"$SCRATCH/heard" &
listener=$!
wait_until 20 test -S "$SCRATCH/log"
check "a syslog socket gets each row as a message of its own" \
	pumpctl audit export --format syslog --socket "$SCRATCH/log"
wait "$listener"
check "and gets them whole" test "$(grep -cE '^<109>1 .*\]$' "$SCRATCH/heard")" = "$(head_row)"
check "a socket that is not there is told" says 'No such file' fails_with 75 \
	pumpctl audit export --socket "$SCRATCH/no-log" --state "$SCRATCH/state2"
check "and nothing counts as exported" fails_with 1 test -e "$SCRATCH/state2"
tap_done
