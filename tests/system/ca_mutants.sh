#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# The tests of ca/ must notice when a check is missing: each line below takes one out of a copy of a
# source file, and the named test program must then fail.
# shellcheck disable=SC2317 # functions are called through check and attempt
cd "$(dirname "$0")/../.." || exit 1
# shellcheck source=tests/support/tap.sh
. tests/support/tap.sh
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cc=${CC:-gcc}
flags=(-std=gnu11 -D_GNU_SOURCE -I. -O0 -w -pthread)
libs=(-lcrypto -lsodium -levent -linih -lseccomp -lcmocka -lgfshare)
export CMOCKA_MESSAGE_OUTPUT=TAP

# FILE | TEST | TEXT THAT IS THERE | TEXT IN ITS PLACE. What is replaced by "0" is a condition.
mutants() {
	cat <<'END'
ca/csr.c|csr|X509_REQ_verify(csr.req, csr.key) != 1|0
ca/request/ossl.c|csr|der + len != at|0
ca/csr.c|csr|digest != NID_sha256 &&|0 &&
ca/csr.c|csr|(size_t)len == strlen(want) && !memcmp(utf8, want, (size_t)len)|!strcmp(utf8, want)
ca/csr.c|csr|X509_NAME_get_index_by_NID(subject, nid, at) >= 0|0
ca/csr.c|csr|(bc && bc->ca)|0
ca/csr.c|csr|ASN1_BIT_STRING_get_bit(ku, 6)|0
ca/csr.c|csr|name->type != GEN_URI|0
ca/csr.c|csr|++*n_out > 1|0
ca/csr.c|csr|if (unreadable)|if (0)
ca/csr_terms.c|csr|!challenge && terms->bound|0
ca/csr_terms.c|csr|if (challenge && !names_channel|if (0 && !names_channel
ca/csr_terms.c|csr|X509_ATTRIBUTE_count(attr) == 1 ?|1 ?
ca/csr_terms.c|csr|strcmp(csr->key_type, terms->key_type) != 0|0
ca/key_rules.c|csr|bits < RSA_MIN_BITS|0
ca/key_rules.c|csr|!BN_is_word(e, RSA_EXPONENT)|0
ca/key_rules.c|csr|point[0] != 0x04|0
ca/request/related_cert_request.c|related_cert_request|rc = binding_check(req, proof, prior)|rc = 0
ca/request/related_cert_request.c|related_cert_request|signature_check(X509_get0_pubkey(prior), &what, proof->signature)|0
ca/request/related_cert_request.c|related_cert_request|at_s < (now_ms|at_s < 0 * (now_ms
ca/request/related_cert_request.c|related_cert_request|at_s > (now_ms|0 > (now_ms
ca/request/related_cert_request.c|related_cert_request|ASN1_INTEGER_cmp(proof|0 && (proof
ca/profile.c|profile|rc = extension_add(cert, NID_name_constraints, nc, true)|rc = 0
ca/profile.c|profile|return differs("names")|
ca/profile.c|profile|return differs("times")|
ca/profile.c|profile|return differs("number of extensions")|
ca/issue.c|profile|X509_check_private_key(cert, key) != 1|0
ca/issue.c|profile|X509_verify(cert, X509_get0_pubkey(issuer->cert)) != 1|0
ca/signerd/grounds.c|grounds|!facts->found|0
ca/signerd/grounds.c|grounds|memcmp(facts->der.data, rq->prior.data, rq->prior.len)|0
ca/signerd/grounds.c|grounds|!device_state_is_enrolled(device_state_parse(facts->device_state))|0
ca/signerd/grounds.c|grounds|cert != CERT_VALID|0
ca/signerd/grounds.c|grounds|now_ms >= facts->not_after|0
ca/signerd/grounds.c|grounds|rc = related_cert_request_check(csr->req, prior, now_ms)|rc = 0
ca/signerd/idevid_grounds.c|idevid|!m->enabled|0
ca/signerd/idevid_grounds.c|idevid|rc = related_cert_request_check(csr->req, leaf, now_ms)|rc = 0
ca/signerd/idevid_grounds.c|idevid|(rc = ca_csr_check_names(csr, name.serial))|(rc = 0)
ca/signerd/idevid_grounds.c|idevid|!memcmp(spki, csr->spki_sha256, sizeof(spki))|0
ca/signerd/idevid_grounds.c|idevid|idevid_chain_verify(leaf, chain, anchors, now_ms|idevid_chain_verify(leaf, chain, chain, now_ms
ca/signerd/idevid_grounds.c|idevid|idevid_certs_parse(m->anchors.data, m->anchors.len, &anchors)|idevid_certs_parse(makers[n - 1].anchors.data, makers[n - 1].anchors.len, &anchors)
ca/idevid_chain.c|idevid|if (X509_check_ca(leaf))|if (0)
ca/idevid_chain.c|idevid|X509_cmp(anchor, sk_X509_value(path, n_path - 1)) != 0|0
ca/idevid_chain.c|idevid|X509_STORE_CTX_set_purpose(ctx, X509_PURPOSE_SSL_CLIENT);|
ca/idevid_chain.c|idevid|X509_VERIFY_PARAM_set_time(param, (time_t)(now_ms / 1000));|X509_VERIFY_PARAM_set_flags(param, X509_V_FLAG_NO_CHECK_TIME);
ca/request/idevid.c|idevid|by_subject && strcmp(subject, name.serial) != 0|0
ca/request/idevid.c|idevid|++found > 1|0
ca/request/idevid.c|idevid|memchr(ASN1_STRING_get0_data(value), 0, len)|0
ca/request/idevid.c|idevid|return device_name_is_valid(out)|return true
ca/request/idevid.c|idevid|at != der + len|0
ca/issued_line.c|issued_log|memcmp(hash, line + len - CHAIN_HEX, CHAIN_HEX)|0
ca/issued_log.c|issued_log|ftruncate(log->fd, (off_t)log->size)|0
ca/issued_log.c|issued_log|if (flock(|if (0 * (
ca/issued_log.c|issued_log|serial_index_has(&log->index, entry->serial)|0
ca/issued_log.c|issued_log|REVOKED_CHAIN_START, out|0, out
ca/sealed/share.c|sealed|a->number == b->number|0
ca/sealed/share.c|sealed|memcmp(a->id, b->id, SHARE_ID_BYTES)|0
ca/sealed/share.c|sealed|numbers, n, SHARE_THRESHOLD, SHARE_KEY_BYTES|numbers, n, 1, SHARE_KEY_BYTES
ca/sealed/share.c|sealed|memcmp(check, bytes + TEXT_BYTES - CHECK_BYTES, CHECK_BYTES)|0
ca/sealed/sealed_file.c|sealed|strspn(name, allowed) != len|0
ca/sealed/sealed_file.c|sealed|tag == LAST|r->in >= 0
ca/sealed/sealed_file.c|sealed|read_whole(r->in, &more, 1)|0
ca/offline.c|offline|EVP_PKEY_eq(X509_get0_pubkey(ca), key) != 1|0
ca/offline.c|offline|X509_verify(cert, X509_get0_pubkey(issuer)) != 1|0
ca/offline.c|offline|int rc = profile_check(kind, cert, issuer)|int rc = 0
ca/offline.c|offline|now_ms < begin_ms|0
ca/offline.c|offline|end_ms - now_ms < LEAST_MS|0
ca/offline.c|offline|X509_REQ_verify(req, key) != 1|0
ca/offline.c|offline|X509_NAME_cmp(subject, X509_REQ_get_subject_name(req))|0
ca/keystore.c|keystore|st.st_mode & 077|0
ca/keystore.c|keystore|lstat(path, &st) == 0|0
ca/keystore.c|keystore|if (encrypted && !access)|if (0)
ca/pkcs11.c|keystore|strcasestr(uri, refused[i])|0
ca/key_access.c|keystore|secret_len(s) < PASSPHRASE_MIN|0
ca/crl.c|crl|for (size_t i = 0; !rc && i < n; i++)|for (size_t i = 1; !rc && i < n; i++)
ca/crl.c|crl|for (size_t i = 0; !rc && i < n; i++)|for (size_t i = 0; !rc && i + 1 < n; i++)
ca/crl.c|crl|previous_ms < now_ms ? previous_ms : now_ms|now_ms
ca/crl.c|crl|+ CRL_GRACE_MS|
ca/crl_state.c|crl|s->number + 1, now_ms|1, now_ms
ca/crl_state.c|crl|next.number = (uint64_t)now_ms|next.number += 0
ca/signerd/remember.c|crl|seq <= n|seq < n
ca/signerd/cert_status.c|ocsp|i->state = OCSP_NOT_ISSUED|i->state = OCSP_GOOD
ca/signerd/cert_status.c|ocsp|revoked_set_get(s->revoked_set, serial, &revoked)|0
ca/signerd/cert_status.c|ocsp|issued_log_has(s->log, serial)|1
ca/signerd/cert_status.c|ocsp|i->serial_len != CA_SERIAL_BYTES|0
ca/signerd/ocsp_ready.c|ocsp|s->state == i->state|1
ca/signerd/ocsp_ready.c|ocsp|now_ms >= s->until_ms|0
ca/ocsp.c|ocsp|if (!rc && not_issued)|if (0)
ca/ocsp.c|ocsp|ASN1_STRING_get0_data(key), key_hash, key_len|"", "", 0
ca/lint.c|lint|{"names", names_are_the_kinds},|
ca/lint.c|lint|len <= SERIAL_BYTES_MAX|1
ca/lint.c|lint|sk_GENERAL_NAME_num(names) != 1|0
ca/lint.c|lint|n == X509_get_ext_count(j->cert)|1
ca/sign.c|lint|rc = ca_lint(t->kind, issuer, judged)|rc = 0
ca/sign.c|lint|if (!same_body(&rehearsed, &fresh))|if (0)
ca/key_rules.c|key_strength|if (rsa_has_roca_shape(n))|if (0)
ca/key_rules.c|key_strength|return close ?|return 0 ?
ca/key_strength.c|key_strength|i < FERMAT_ROUNDS|i < 0
ca/key_strength.c|key_strength|if (BN_cmp(f->d, n) == 0)|if (0)
ca/issue.c|two_cas|issuer->status_only && t->kind|0 && t->kind
ca/signerd/issuer_files.c|two_cas|out->old.status_only = true;|
ca/signerd/issuer_files.c|two_cas|e->not_after_ms > u->until_ms && memmem|!u->until_ms && memmem
ca/signerd/issuer_files.c|two_cas|!X509_cmp(cert, out->current.cert)|0
ca/signerd/issuers.c|two_cas|!is->source.is_changed(is->source.ctx)|1
ca/signerd/cert_status.c|two_cas|!revoked_entry_is_of(&revoked, i->ca)|0
ca/signerd/cert_status.c|two_cas|if (!many_cas)|if (1)
ca/signerd/remember.c|two_cas|e.ca = rc ? 0 :|e.ca = rc ? 0 : 0 *
ca/revoked_set.c|two_cas|e->ca == ca|1
enroll/pumpctl/rollover_gate.c|rollover_gate|!f->n_behind|1
enroll/pumpctl/rollover_gate.c|rollover_gate|rollover_moved_percent(f) >= f->percent|1
enroll/pumpctl/rollover_gate.c|rollover_gate|f->pumps_known && rollover|rollover
enroll/pumpctl/rollover_gate.c|rollover_gate|(f->pumps - f->left) * 100|(f->pumps - f->left) * 100 + 99
enroll/pumpctl/rollover_gate.c|rollover_gate|strcmp(f->state, "switched") != 0|1
ca/offline.c|offline|ca_number_of(X509_REQ_get_subject_name(req))|1
ca/signerd/rate.c|confine|r->tokens_milli >= 1000|1
ca/signerd/rate.c|confine|passed_us >= r->window_us ? full :|passed_us >= RATE_MINUTE_US ? full :
ca/signerd/confine.c|confine|SCMP_A0(SCMP_CMP_NE, AF_UNIX)|SCMP_A0(SCMP_CMP_EQ, 99)
END
}

# object SOURCE OUT
object() { "$cc" "${flags[@]}" -c -o "$2" "$1"; }

build_all() {
	local source jobs=()

	for source in base/*.c policies/*.c ca/*.c ca/sealed/*.c ca/request/*.c ca/proto/*.c sql/proto/*.c \
		ca/signerd/{grounds,idevid_grounds,confine,rate,remember,cert_status,ocsp_ready,issuers,issuer_files,ca_files}.c tests/unit/ca/*.c \
		enroll/pumpctl/rollover_gate.c tests/unit/pumpctl/test_rollover_gate.c; do
		object "$source" "$work/$(tr / . <<<"$source").o" &
		jobs+=($!)
		[ $((${#jobs[@]} % 4)) != 0 ] || wait
	done
	wait
	ar rcs "$work/lib.a" "$work"/{base,policies,ca,sql,enroll}.*.o
}

# run TEST FOLDER [MUTANT.o]: the mutant comes first and takes the place of the library's own member.
run() {
	mkdir -p "$2" &&
		"$cc" -pthread -o "$2/$1" "$work"/tests.unit.*."$1.c.o" ${3:+"$3"} \
			"$work"/tests.unit.ca.{ca,maker}_fixture.c.o "$work/lib.a" "${libs[@]}" &&
		timeout 60 "$2/$1" >"$2/out" 2>&1
}

# notices FOLDER FILE TEST THERE INSTEAD
notices() {
	mkdir "$1" && P=$4 R=$5 perl -0pe 's/\Q$ENV{P}\E/$ENV{R}/' "$2" >"$1/mutant.c"
	cmp -s "$2" "$1/mutant.c" && echo "the pattern is not in $2" && return 1
	object "$1/mutant.c" "$1/mutant.o" || return 1
	! run "$3" "$1" "$1/mutant.o" && grep -q '^not ok' "$1/out"
}

# attempt N COMMAND...: as many at once as there are processors; how it went is kept for `went_well`
attempt() {
	local n=$1 running
	shift
	mapfile -t running < <(jobs -rp)
	[ ${#running[@]} -lt "$(nproc)" ] || wait -n
	{ "$@" </dev/null >"$work/$n.says" 2>&1 && touch "$work/$n.well"; rm -rf "${work:?}/$n"; } &
}
went_well() { [ -e "$work/$1.well" ] || { cat "$work/$1.says"; return 1; }; }

build_all
sentences=()
for name in csr related_cert_request profile grounds idevid issued_log keystore offline confine crl ocsp two_cas rollover_gate sealed lint key_strength; do
	attempt ${#sentences[@]} run "test_$name" "$work/${#sentences[@]}"
	sentences+=("without_a_mutant_test_${name}_passes")
done
while IFS='|' read -r file name there instead; do
	attempt ${#sentences[@]} notices "$work/${#sentences[@]}" "$file" "test_$name" "$there" "$instead"
	sentences+=("test_$name notices in $file when this is missing: $there")
done < <(mutants)
wait
for n in "${!sentences[@]}"; do
	check "${sentences[$n]}" went_well "$n"
done
tap_done
