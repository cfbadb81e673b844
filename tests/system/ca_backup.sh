#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# shellcheck disable=SC2317 # functions are called through check
# The drill: seal the CA, lose the machine, restore with two people's shares on a clean home; the old
# pump still gets in and renews. One share, a changed file, a CA that is there: refused.
cd "$(dirname "$0")/../.." || exit 1
. tests/support/tap.sh
. tests/support/scratch.sh
. tests/support/pump_client.sh
[ "$(id -u)" != 0 ] || set -- --users 61300
scratch_install
scratch_up "$@" || exit 1
cd "$SCRATCH" || exit 1
umask 077

est() { curl -sS --fail --max-time 20 --cacert "$TRUST" -H 'Content-Type: application/pkcs10' "$@"; }
take() { openssl base64 -d | openssl pkcs7 -inform DER -print_certs | openssl x509 -out "$1"; }
pumpctl zone add pumps --vlan 110 >/dev/null
pumpctl pump add PG-1 --maker M --model M --mac 02:00:00:00:05:01 --zone pumps >/dev/null
pumpctl pump add PG-2 --maker M --model M --mac 02:00:00:00:05:02 --zone pumps >/dev/null
openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout pg.key -outform DER -subj /CN=PG-1 2>/dev/null |
	base64 >pg.csr
enrol() { est -u "PG-1:$(pumpctl pump token PG-1)" --data-binary @pg.csr "$EST_URL/simpleenroll" | take pg.pem; }
check "a_pump_has_its_certificate" enrol

# ---- backup, while the server runs ----
check "a_backup_without_a_place_for_its_shares_is_wrong_usage" fails_with 64 pumpctl ca backup b1
check "one_person_is_wrong_usage" fails_with 64 pumpctl ca backup b1 --people 1 --shares s
check "a_backup_is_made" pumpctl ca backup b1 --shares share
check "three_shares_and_the_backup_are_closed_to_others" bash -c \
	"[ \"\$(stat -c %a b1 share.1 share.2 share.3 | sort -u)\" = 600 ]"
check "an_existing_file_is_not_overwritten" fails_with 1 pumpctl ca backup b1 --shares other
check "an_existing_share_is_not_overwritten" fails_with 1 pumpctl ca backup b2 --shares share
check "shares_can_be_printed" bash -c "[ \"\$(pumpctl ca backup b3 --people 2 --print 2>/dev/null | grep -c ^PGS1)\" = 2 ]"
check "nothing_is_left_in_the_signers_folder" bash -c "! ls '$PUMPGATE_HOME'/ca/*.backup"
check "no_key_stands_in_the_backup" bash -c "! grep -aqE 'PRIVATE|CERTIFICATE' b1"
pumpctl ca backup foreign --shares foreign.share >/dev/null 2>&1
check "a_restore_over_a_running_server_is_refused" fails_with 75 pumpctl ca restore b1 share.1 share.2
pumpctl pump revoke PG-2 --reason lost >/dev/null 2>&1
pumpctl user add anna --role nurse <<<'correct-horse-42-battery' >/dev/null && pumpctl user disable anna --reason left >/dev/null
check "the_registry_is_backed_up_too" pumpctl backup create reg
scratch_stop
check "a_restore_over_a_ca_is_refused" says 'never overwritten' pumpctl ca restore b1 share.1 share.2

# ---- the machine is lost ----
OLD=$(openssl x509 -in "$PUMPGATE_HOME/ca/device-ca.pem" -noout -fingerprint)
cp "$PUMPGATE_HOME/pumpgate.conf" conf
cp "$PUMPGATE_HOME/cred/pepper" pepper
rm -rf "$PUMPGATE_HOME"
check "without_the_settings_it_says_what_to_do" fails_with 1 pumpctl ca restore b1 share.1 share.2
mkdir -m 0755 "$PUMPGATE_HOME"
cp conf "$PUMPGATE_HOME/pumpgate.conf" && chmod 0644 "$PUMPGATE_HOME/pumpgate.conf"
check "one_share_is_wrong_usage" fails_with 64 pumpctl ca restore b1 share.1
check "one_share_twice_is_refused" says 'share of a second person' pumpctl ca restore b1 share.2 share.2
check "a_share_of_another_backup_is_refused" says 'share of another backup' pumpctl ca restore b1 share.1 foreign.share.2
sed '/^PGS1/s/.$/x/' share.2 >bad
check "a_damaged_share_is_refused" says 'a digit of it is wrong' pumpctl ca restore b1 share.1 bad
digit() { # a wrong digit that is one: the check catches it
	local line c
	line=$(grep ^PGS1 share.2)
	c=${line:40:1}
	grep -v ^PGS1 share.2 >bad
	echo "${line:0:40}$([ "$c" = 0 ] && echo 1 || echo 0)${line:41}" >>bad
	says 'a digit of it is wrong' pumpctl ca restore b1 share.1 bad
}
check "a_mistyped_digit_is_refused" digit
tampered() { # POSITION: one bit of the backup
	cp b1 b1.bad
	# shellcheck disable=SC2059 # an octet in hex
	printf "\\x$(printf %02x $(($(od -An -tu1 -j "$1" -N 1 b1) ^ 1)))" | dd of=b1.bad bs=1 seek="$1" conv=notrunc status=none
	fails_with 1 pumpctl ca restore b1.bad share.1 share.2
}
SIZE=$(stat -c %s b1)
for at in 3 12 20 41 60 $((SIZE / 2)) $((SIZE - 1)); do
	check "a_backup_changed_at_byte_${at}_is_refused" tampered "$at"
done
head -c $((SIZE - 30)) b1 >b1.cut
check "a_backup_that_was_cut_off_is_refused" fails_with 1 pumpctl ca restore b1.cut share.1 share.2
check "all_that_left_no_key_behind" bash -c "! find '$PUMPGATE_HOME' -name '*.key' -o -name 'ca-restore*' | grep ."

# ---- the drill ----
check "two_shares_bring_it_back" pumpctl ca restore b1 share.3 share.1
check "it_is_the_old_ca" test "$(openssl x509 -in "$PUMPGATE_HOME/ca/device-ca.pem" -noout -fingerprint)" = "$OLD"
check "init_completes_the_home" pumpctl init
check "clinicians_need_the_key_of_their_passwords" says 'under another key' pumpctl backup restore reg
check "without_it_the_rest_could_be_had" eval 'pumpctl backup restore reg --no-clinicians | grep -q "no clinicians were restored"'
cat pepper >"$PUMPGATE_HOME/cred/pepper"
check "the_registry_comes_back" says "withdrawn.log. is not here" pumpctl backup restore reg
scratch_run || { cat "$SCRATCH/run.out"; exit 1; }
wait_until 20 bash -c "pumpctl status --json | jq -e '.compare_needed == false'"
pump_radius() { # the old certificate still gets the pump on
	pumpctl nas add drill --ip 127.0.0.1 --secret-file <(printf secret-of-the-drill) 2>&1 || return 1
	cat >eap.conf <<-END
		network={
			key_mgmt=IEEE8021X
			eap=TLS
			identity="PG-1"
			ca_cert="$TRUST"
			client_cert="$SCRATCH/pg.pem"
			private_key="$SCRATCH/pg.key"
		}
	END
	eapol_test -c eap.conf -a 127.0.0.1 -p "$RADIUS_AUTH_PORT" -s secret-of-the-drill -M 02:00:00:00:05:01 -t 20 | tail -3 |
		grep -x SUCCESS
}
check "the_old_pump_gets_on" pump_radius
renewal() { est --cert pg.pem --key pg.key --data-binary @pg.csr "$EST_URL/simplereenroll" | take new.pem; }
check "and_renews" renewal
check "the_renewed_certificate_is_of_the_old_ca" openssl verify -purpose sslclient \
	-CAfile "$PUMPGATE_HOME/trust/device.pem" new.pem
revoked_stays() { pumpctl pump show PG-2 --json | jq -e '.state == "revoked"'; }
check "what_was_revoked_stays_revoked" revoked_stays
tap_done
