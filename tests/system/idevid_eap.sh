#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# A maker's birth certificate on the network: into the onboarding zone, for an expected pump of that
# maker and model, and nowhere else, whatever the certificate says. Refusals first.
# shellcheck disable=SC2317,SC2119,SC2015 # functions are called by check
cd "$(dirname "$0")/../.." || exit 1
. tests/support/tap.sh
. tests/support/scratch.sh
. tests/support/pump_client.sh
. tests/support/maker.sh

scratch_up || exit 1
site_up || exit 1
cd "$SCRATCH" || exit 1
log=$PUMPGATE_HOME/log/radiusd.log
pump_of() { pumpctl pump add "$1" --maker "$2" --model "$3" --mac "02:00:00:00:02:0$4" --zone ward >/dev/null; }
# born NAME SERIAL [MAKER] [HOW] [IDENTITY]: NAME.conf of a pump with a birth certificate
born() {
	birth_make "${3:-acme}" "$1" "$2" "${4:-subject}"
	supplicant_conf "$1" "${5:-idevid@pumpgate}" "$SCRATCH/$1.pem" "$SCRATCH/$1.key" tls_disable_tlsv1_3=0
}
refused_because() {
	local reason=$1
	shift
	eap_is_refused "$@" && [ "$(last_attempt verdict) $(last_attempt reason)" = "reject $reason" ] ||
		{ tail -n 5 "$SCRATCH/eap.log"; grep pump.auth "$log" | tail -n 2; return 1; }
}
onboarded() { # NAME: an Accept, into VLAN 99 and no other
	eap "$1" && grep -q 'verdict=onboard reason=birth-certificate' "$log" &&
		grep -A3 'Attribute 81' "$SCRATCH/eap.log" | grep -q 'Value: .*3939' ||
		{ tail -n 30 "$SCRATCH/eap.log"; grep pump.auth "$log" | tail -n 2; return 1; }
}

maker_make acme
maker_make other
pump_enrol PG-1 || exit 1 # of maker Acme, model Flow-9, like those below
for n in 2 3 4; do pump_of "PG-$n" Acme Flow-9 "$n"; done
pump_of PG-5 Acme Other-1 5
pump_of PG-6 Other Flow-9 6
born pg2 PG-2
born pg1 PG-1
born pg4 PG-4
born nobody PG-404
born model PG-5
born foreign PG-6
born others PG-2 other
born module PG-3 acme module
supplicant_conf plain PG-2 "$SCRATCH/pg2.pem" "$SCRATCH/pg2.key"
supplicant_conf named idevid "$SCRATCH/PG-1.pem" "$SCRATCH/PG-1.key"

check "without_a_maker_no_birth_certificate_gets_on" refused_because wrong-ca pg2
check "a_maker_is_added" pumpctl maker add Acme --anchor acme-root.pem --models Flow-9
check "freeradius_reads_it_at_its_start" says "acme" openssl x509 -in "$PUMPGATE_HOME/radius/makers.pem" -noout -subject
check "nothing_is_left_to_publish" fails_with 2 pumpctl maker publish
rejects_at_once || exit 1

# ---- refusals ----
check "it_is_no_pumps_certificate" refused_because wrong-ca plain
check "a_pumps_certificate_is_no_birth_certificate" refused_because wrong-ca named
check "another_makers_certificate_is_refused" refused_because wrong-ca others
check "an_unknown_serial_is_refused" refused_because unknown-pump nobody
check "another_model_is_refused" refused_because maker-refused model
check "a_pump_of_another_maker_is_refused" refused_because maker-refused foreign
check "an_enrolled_pump_has_to_use_its_certificate" refused_because idevid-used pg1
check "without_a_serial_in_the_subject_it_is_refused" refused_because no-serial module
pumpctl pump revoke PG-4 --reason test >/dev/null 2>&1
check "a_revoked_pump_is_refused" refused_because pump-revoked pg4

# the maker's double of PG-1: our issuer's name, our serial, our SAN
double() {
	local ca
	ca=$(openssl x509 -in PG-1.pem -noout -issuer | sed 's/^issuer=//; s/O *= */\/O=/; s/, *CN *= */\/CN=/')
	openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout twin-ca.key -subj "$ca" -out twin.req 2>/dev/null
	openssl x509 -req -in twin.req -CA acme-root.pem -CAkey acme-root.key -CAcreateserial -days 30 -out twin-ca.pem \
		-extfile <(printf 'basicConstraints=critical,CA:TRUE\nkeyUsage=critical,keyCertSign\n') 2>/dev/null
	openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout twin.key -subj /CN=PG-1 -out twin.req 2>/dev/null
	openssl x509 -req -in twin.req -CA twin-ca.pem -CAkey twin-ca.key -days 30 -out twin.leaf \
		-set_serial "0x$(openssl x509 -in PG-1.pem -noout -serial | cut -d= -f2)" -extfile <(
			printf 'keyUsage=critical,digitalSignature\nextendedKeyUsage=clientAuth\nsubjectAltName=URI:urn:pumpgate:pump:PG-1\n') 2>/dev/null
	cat twin.leaf twin-ca.pem >twin.pem
	[ "$(openssl x509 -in twin.leaf -noout -issuer -subject -serial)" = "$(openssl x509 -in PG-1.pem -noout -issuer -subject -serial)" ]
}
check "a_maker_can_make_a_double_of_our_pump" double
supplicant_conf twin PG-1 "$SCRATCH/twin.pem" "$SCRATCH/twin.key"
supplicant_conf twin-born idevid "$SCRATCH/twin.pem" "$SCRATCH/twin.key"
check "the_double_is_refused_as_a_pump" refused_because wrong-ca twin
check "nor_is_it_onboarded" refused_because no-serial twin-born

# ---- the good way ----
check "an_expected_pump_gets_into_the_onboarding_zone" onboarded pg2
check "its_event_says_how" wait_until 5 says '"what": *"onboard","reason": *"birth-certificate"' pumpctl pump events PG-2 --json
supplicant_conf PG-1 PG-1 "$SCRATCH/PG-1.pem" "$SCRATCH/PG-1.key"
check "a_pump_with_its_own_certificate_gets_on_as_ever" eap PG-1
check "a_disabled_maker_onboards_nobody_at_once" pumpctl maker disable Acme
check "though_freeradius_was_not_restarted" refused_because maker-refused pg2
check "the_last_makers_file_trusts_nobody" says 'thrown away' openssl x509 -in "$PUMPGATE_HOME/radius/makers.pem" -noout -subject
tap_done
