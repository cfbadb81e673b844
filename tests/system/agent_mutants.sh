#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# The tests of the agent's way to its server must notice when a single check is missing: each is taken
# out of a copy in turn, and the test must then fail.
cd "$(dirname "$0")/../.." || exit 1
# shellcheck source=tests/support/tap.sh
. tests/support/tap.sh
build=${PUMPGATE_BUILD:-build}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cc=${CC:-gcc}
case $build in *address* | *thread*)
	skip "agent_mutants" "the plain build is enough"
	tap_done
	;;
esac
lib=$build/lib
export AGENT_MUTANTS=1 # shorter waits: a mutant may wait for ever

# link NAME OBJECT...: the test with objects that take the place of the libraries' own
link() {
	local name=$1
	shift
	"$cc" -pthread -o "$work/$name" "$build"/obj/tests/unit/pump_agent/{test_https,https_server,pki}.o "$@" \
		-Wl,--start-group "$lib"/lib{agent_shell,agent_core,ca_request,base}.a -Wl,--end-group \
		-lcmocka -lsodium -lssl -lcrypto -ljansson -levent_openssl -levent_extra -levent_core -linih
}

# mutant SENTENCE FILE SED-SCRIPT: the tests begin; they mostly wait, so all at once
mutant() {
	local name
	n=$((n + 1))
	name=$n.$(basename "$2")
	sentences[n]=$1
	sed -E "$3" "$2.c" >"$work/$name.c"
	if cmp -s "$2.c" "$work/$name.c"; then
		echo "applies to nothing" >"$work/$n.verdict"
	elif ! "$cc" -std=gnu11 -D_GNU_SOURCE -I. -I"$build/gen" -fPIE -pthread -O1 -w -c \
		-o "$work/$name.o" "$work/$name.c" || ! link "$n" "$work/$name.o"; then
		echo "does not build" >"$work/$n.verdict"
	else
		{ timeout 60 "$work/$n" >/dev/null 2>&1 && echo "was not noticed" >"$work/$n.verdict"; } &
	fi
}

# shellcheck disable=SC2317 # called by check
noticed() {
	[ ! -e "$work/$1.verdict" ] || { cat "$work/$1.verdict" && false; }
}

n=0
link plain || exit 1
check "the_test_holds_without_a_mutation" "$work/plain"
https=pump_agent/https
tls=pump_agent/tls_client
mutant "any server will do" $https 's/SSL_set_verify\(h->ssl, SSL_VERIFY_PEER, verify_watch\);/SSL_set_verify(h->ssl, SSL_VERIFY_NONE, NULL);/'
mutant "a failed verification is waved through" $https 's/return ok;/return 1;/'
mutant "any name will do" $tls 's/X509_VERIFY_PARAM_set1_host\(param, name, 0\) == 1/1/'
mutant "any address will do" $tls 's/X509_VERIFY_PARAM_set1_ip_asc\(param, name\)/1/'
mutant "TLS 1.1 will do" $tls 's/SSL_CTX_set_min_proto_version\(ctx, TLS1_2_VERSION\) != 1/(SSL_CTX_set_security_level(ctx, 0), 0)/; s/SSL_CTX_set_cipher_list\(ctx, CIPHERS_TLS12\)/SSL_CTX_set_cipher_list(ctx, "ALL:@SECLEVEL=0")/'
mutant "bodies have no end" $https '/evhttp_connection_set_max_body_size/d'
mutant "heads have no end" $https '/evhttp_connection_set_max_headers_size/d'
mutant "an expired server is any wrong server" $https 's/h->verify_error == X509_V_ERR_CERT_HAS_EXPIRED/0/'
mutant "the agent's end is not looked for" $https 's/h->server.stop \&\& atomic_load\(h->server.stop\)/0/'
mutant "a closed connection is the end" $https 's/rc == ERR_UNAVAILABLE \&\& h->failure != ERR_CONFLICT/!was_up/'
mutant "each request has its connection" $https 's/was_up \&\& !h->is_closed/0/'
mutant "the connection has the first one's name" $https 's/channel_take\(h, ssl\);/if (!h->connections) channel_take(h, ssl);/'
mutant "a TLS 1.2 connection is named by the other side" $https 's/SSL_get_finished\(/SSL_get_peer_finished(/'
mutant "a 100 is waited for in vain" $https 's/== 100\)/== 1000)/'
wait
for n in "${!sentences[@]}"; do
	check "tests_notice: ${sentences[n]}" noticed "$n"
done
tap_done
