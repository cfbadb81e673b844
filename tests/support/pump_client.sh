# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=bash
# Pumps and NAS for system tests against a running scratch server (source after scratch.sh).
#
#   site_up                        zones ward (VLAN 120) and onboarding (VLAN 99), NAS ap1 = 127.0.0.1
#   rejects_at_once                restarts the server without its reject_delay
#   pump_enrol SERIAL [MAC]        inventory, token, EST; leaves $SCRATCH/SERIAL.{key,pem,conf}
#   supplicant_conf NAME IDENTITY CERT KEY [PHASE1]   writes $SCRATCH/NAME.conf
#   eap NAME [EAPOL_TEST-OPTION...]    one authentication; its log is $SCRATCH/eap.log
#   eap_is_silent NAME [OPTION...]     nobody answers
NAS_SECRET=correct-horse-battery-staple
EAP_SECRET=$NAS_SECRET

site_up() {
	printf '%s\n' "$NAS_SECRET" >"$SCRATCH/nas.secret"
	chmod 0600 "$SCRATCH/nas.secret"
	pumpctl zone add ward --vlan 120 >/dev/null &&
		pumpctl zone add onboarding --vlan 99 --onboarding >/dev/null &&
		pumpctl nas add ap1 --ip 127.0.0.1 --secret-file "$SCRATCH/nas.secret" >/dev/null
}

# Restarts the server without the second that it holds each reject back: many refusals, less waiting.
rejects_at_once() {
	scratch_stop
	sed -i 's/reject_delay = 1/reject_delay = 0/' "$PUMPGATE_HOME/radius/raddb/radiusd.conf"
	scratch_run
}

# supplicant_conf NAME IDENTITY CERT KEY [PHASE1]
supplicant_conf() {
	cat >"$SCRATCH/$1.conf" <<-END
		network={
		  key_mgmt=IEEE8021X
		  eap=TLS
		  eapol_flags=0
		  identity="$2"
		  ca_cert="$TRUST"
		  domain_match="radius-1.pumpgate.internal"
		  client_cert="$3"
		  private_key="$4"
		  phase1="${5:-}"
		}
	END
}

pump_add() {
	pumpctl pump add "$1" --maker Acme --model Flow-9 --mac "${2:-02:00:00:00:00:01}" \
		--zone ward >/dev/null
}

# est_enrol SERIAL TOKEN: a new key and its certificate
est_enrol() {
	openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj "/CN=$1" \
		-keyout "$SCRATCH/$1.key" -outform DER 2>/dev/null | base64 >"$SCRATCH/$1.csr"
	printf 'user = "%s:%s"\n' "$1" "$2" | curl -sS --fail -K - --cacert "$TRUST" \
		-H 'Content-Type: application/pkcs10' --data-binary "@$SCRATCH/$1.csr" \
		"$EST_URL/simpleenroll" | tr -d '\r' | base64 -d |
		openssl pkcs7 -inform DER -print_certs >"$SCRATCH/$1.pem" &&
		openssl x509 -in "$SCRATCH/$1.pem" -noout
}

pump_enrol() {
	pump_add "$1" "${2:-02:00:00:00:00:01}" &&
		est_enrol "$1" "$(pumpctl pump token "$1")" &&
		supplicant_conf "$1" "$1" "$SCRATCH/$1.pem" "$SCRATCH/$1.key"
}

eap() {
	timeout 30 eapol_test -c "$SCRATCH/$1.conf" -a 127.0.0.1 -p "$RADIUS_AUTH_PORT" \
		-s "$EAP_SECRET" -t "${EAP_WAIT_S:-8}" "${@:2}" >"$SCRATCH/eap.log" 2>&1
}

eap_is_refused() {
	! eap "$@" && grep -q 'Access-Reject' "$SCRATCH/eap.log"
}

eap_is_silent() {
	! EAP_WAIT_S=2 eap "$@" && ! grep -qE 'code=(2|3|11) ' "$SCRATCH/eap.log"
}

# The value of the first attribute NUMBER in the Access-Accept of the last eap.
accept_attribute() {
	awk -v number="$1" '/Access-Accept|RADIUS message: code=2 / { accept = 1 }
		accept && $1 == "Attribute" && $2 == number { getline; sub(/^ *Value: /, ""); print; exit }
		' "$SCRATCH/eap.log"
}

# last_attempt FIELD: verdict, reason, method... of the newest line that rlm_pump logged
last_attempt() {
	grep -o 'pump\.auth .*' "$PUMPGATE_HOME/log/radiusd.log" | tail -n 1 |
		grep -oE " $1=[^ ]*" | cut -d= -f2
}
