# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=bash
# A pump that slept past its certificate's end, for system tests. Nothing of the server may run.
#
#   slept FILE PUMP DAYS     FILE.pem, with its key in FILE.key, becomes one that ended DAYS ago, of the
#                            same serial number and key, in the registry of $PUMPGATE_HOME too
slept() {
	local f=$1 serial der from to
	serial=$(openssl x509 -in "$f.pem" -noout -serial | cut -d= -f2)
	printf 'keyUsage=critical,digitalSignature\nextendedKeyUsage=clientAuth\nsubjectAltName=URI:urn:pumpgate:pump:%s\n' \
		"$2" >"$f.ext"
	printf '[ca]\ndefault_ca=x\n[x]\ndatabase=%s\nnew_certs_dir=%s\nserial=%s\ndefault_md=sha256\npolicy=p\n[p]\ncommonName=supplied\n' \
		"$f.index" "${f%/*}" "$f.serial" >"$f.ca"
	: >"$f.index"
	echo "$serial" >"$f.serial"
	from=$(($(date +%s) - 800 * 86400)) to=$(($(date +%s) - $3 * 86400))
	openssl req -new -key "$f.key" -subj "/CN=$2" -out "$f.req" 2>/dev/null
	openssl ca -batch -notext -config "$f.ca" -in "$f.req" -out "$f.pem" -extfile "$f.ext" \
		-cert "$PUMPGATE_HOME/ca/device-ca.pem" -keyfile "$PUMPGATE_HOME/ca/device-ca.key" \
		-startdate "$(date -u -d "@$from" +%Y%m%d%H%M%SZ)" \
		-enddate "$(date -u -d "@$to" +%Y%m%d%H%M%SZ)" 2>"$f.log" || { cat "$f.log"; return 1; }
	der=$(openssl x509 -in "$f.pem" -outform DER | od -An -v -tx1 | tr -d ' \n')
	sqlite3 -bail "$PUMPGATE_HOME/registry/registry.db" "
		UPDATE certificate_der SET der = x'$der' WHERE certificate_id =
			(SELECT id FROM certificates WHERE serial = lower('$serial'));
		UPDATE certificates SET not_before = ${from}000, not_after = ${to}000
			WHERE serial = lower('$serial')"
}
