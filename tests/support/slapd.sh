# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=bash
# A real slapd with TLS on loopback, for system tests. Source it, then:
#
#   slapd_folder DIR        CA, server certificates (good: 127.0.0.1; other: other.example) in DIR
#   slapd_load LDIF         the hospital's tree in DIR/db
#   slapd_start NAME CERT   starts one more slapd over that tree; SLAPD_PORT, SLAPD_TLS_PORT,
#                           SLAPD_PID, its log in DIR/NAME.log
#   slapd_stop              all that were started
#
# They run as nobody when the test runs as root, and take the empty password for anybody
# (allow bind_anon_cred), as badly set up servers do.
SLAPD=
SLAPD_PIDS=()

# slapd_certificate NAME SAN [CA]
slapd_certificate() {
	local ca=${3:-ca}

	openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj "/CN=$1" \
		-keyout "$SLAPD/$1.key" -out "$SLAPD/$1.csr" 2>/dev/null &&
		printf 'subjectAltName=%s\nextendedKeyUsage=serverAuth\n' "$2" >"$SLAPD/$1.ext" &&
		openssl x509 -req -in "$SLAPD/$1.csr" -CA "$SLAPD/$ca.pem" -CAkey "$SLAPD/$ca.key" \
			-days 2 -extfile "$SLAPD/$1.ext" -out "$SLAPD/$1.pem" 2>/dev/null
}

slapd_folder() {
	local ca

	SLAPD=$1
	mkdir -p "$SLAPD/db"
	for ca in ca strange; do
		openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 \
			-subj "/CN=$ca of the test" -addext basicConstraints=critical,CA:TRUE \
			-keyout "$SLAPD/$ca.key" -out "$SLAPD/$ca.pem" 2>/dev/null || return
	done
	slapd_certificate good IP:127.0.0.1 && slapd_certificate other DNS:other.example &&
		slapd_certificate untrusted IP:127.0.0.1 strange || return
	slapd_conf good >"$SLAPD/load.conf"
}

slapd_conf() { # CERT
	cat <<-END
		include /etc/ldap/schema/core.schema
		include /etc/ldap/schema/cosine.schema
		include /etc/ldap/schema/inetorgperson.schema
		modulepath /usr/lib/ldap
		moduleload back_mdb
		moduleload memberof
		moduleload ppolicy
		moduleload rwm
		allow bind_anon_cred
		TLSCACertificateFile $SLAPD/ca.pem
		TLSCertificateFile $SLAPD/$1.pem
		TLSCertificateKeyFile $SLAPD/$1.key
		overlay rwm
		rwm-rewriteEngine on
		rwm-rewriteContext bindDN
		rwm-rewriteRule "^uid=mask,(.*)\$" "uid=nurse,\$1" ":"
		database mdb
		directory $SLAPD/db
		maxsize 67108864
		suffix "dc=hospital"
		rootdn "cn=root,dc=hospital"
		rootpw rootpw
		index objectClass,uid,member eq
		access to attrs=userPassword by anonymous auth by * none
		access to * by dn="cn=pumpgate,dc=hospital" read by anonymous auth by * none
		overlay memberof
		overlay ppolicy
	END
}

slapd_load() {
	slapadd -q -f "$SLAPD/load.conf" -l "$1" || return
	if [ "$(id -u)" = 0 ]; then
		chown -R 65534:65534 "$SLAPD/db" "$SLAPD"/*.key
		chmod 0755 "$SLAPD"
	fi
}

slapd_start() {
	local name=$1 try as=()

	[ "$(id -u)" != 0 ] || as=(setpriv --reuid=65534 --regid=65534 --clear-groups)
	slapd_conf "$2" >"$SLAPD/$name.conf"
	for try in 1 2 3; do
		SLAPD_PORT=$(shuf -i 10000-29990 -n 1)
		SLAPD_TLS_PORT=$((SLAPD_PORT + 1))
		"${as[@]}" slapd -d stats -f "$SLAPD/$name.conf" \
			-h "ldap://127.0.0.1:$SLAPD_PORT ldaps://127.0.0.1:$SLAPD_TLS_PORT" \
			>"$SLAPD/$name.log" 2>&1 &
		SLAPD_PID=$!
		SLAPD_PIDS+=("$SLAPD_PID")
		wait_until 20 slapd_is_up "$name" && grep -q 'slapd starting' "$SLAPD/$name.log" && return 0
	done
	echo "slapd did not start (try $try)" >&2
	return 1
}

slapd_is_up() {
	grep -q 'slapd starting' "$SLAPD/$1.log" || ! kill -0 "$SLAPD_PID" 2>/dev/null
}

slapd_stop() {
	local pid

	for pid in "${SLAPD_PIDS[@]}"; do
		kill -CONT "$pid" 2>/dev/null
		kill -TERM "$pid" 2>/dev/null
	done
	for pid in "${SLAPD_PIDS[@]}"; do
		wait "$pid" 2>/dev/null
	done
	SLAPD_PIDS=()
}
