# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=bash
# A pump maker for system tests: root, issuing CA and birth certificates (IEEE 802.1AR), all made with
# openssl in the current folder.
#
#   maker_make NAME                      NAME-root.pem, NAME-ca.pem and their keys
#   birth_make NAME FILE SERIAL [HOW] [OID]  FILE.pem (leaf and issuing CA), FILE.key, FILE.der
#                                        HOW: module (hardwareModuleName, with hwType OID) or subject

maker_make() {
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout "$1-root.key" \
		-subj "/O=$1/CN=$1 Root" -days 3650 -out "$1-root.pem" 2>/dev/null
	openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout "$1-ca.key" \
		-subj "${2:-/O=$1/CN=$1 Devices}" -out "$1-ca.req" 2>/dev/null
	openssl x509 -req -in "$1-ca.req" -CA "$1-root.pem" -CAkey "$1-root.key" -CAcreateserial -days 3650 \
		-out "$1-ca.pem" -extfile <(printf 'basicConstraints=critical,CA:TRUE\nkeyUsage=critical,keyCertSign\n') \
		2>/dev/null
}

birth_make() {
	local maker=$1 file=$2 serial=$3 how=${4:-module} oid=${5:-1.3.6.1.4.1.99999.1} subject=/CN=birth
	local extensions='keyUsage=critical,digitalSignature'
	if [ "$how" = module ]; then
		extensions+="
subjectAltName=otherName:1.3.6.1.5.5.7.8.4;SEQ:module
[module]
type=OID:$oid
serial=FORMAT:ASCII,OCT:$serial"
	else
		subject=/CN=birth/serialNumber=$serial
	fi
	openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out "$file.key" 2>/dev/null
	openssl req -new -key "$file.key" -subj "$subject" -out "$file.req" 2>/dev/null
	openssl x509 -req -in "$file.req" -CA "$maker-ca.pem" -CAkey "$maker-ca.key" -CAcreateserial \
		-days 3650 -out "$file.leaf" -extfile <(printf '%s\n' "$extensions") 2>/dev/null
	cat "$file.leaf" "$maker-ca.pem" >"$file.pem"
	openssl x509 -in "$file.leaf" -outform DER -out "$file.der"
}
