#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# shellcheck disable=SC2317 # functions are called through check
# pumpctl as people and programs use it: exit statuses, tables, JSON, inventory files, tokens, receipt.
cd "$(dirname "$0")/../.." || exit 1
. tests/support/tap.sh
. tests/support/scratch.sh
scratch_init || exit 1

mac() { printf '02:00:00:00:%02x:%02x' $(($1 / 256)) $(($1 % 256)); }
json() { jq -e "$@" >/dev/null; }
prints_json() { # FILTER COMMAND...
	local filter=$1 out
	shift
	out=$("$@") || [ $? -le 2 ] || return 1
	printf '%s\n' "$out"
	json "$filter" <<<"$out"
}

# ---- without a server ----
check no_verb_is_wrong_usage fails_with 64 pumpctl
check an_unknown_verb_is_wrong_usage fails_with 64 pumpctl frob
check a_missing_option_is_wrong_usage fails_with 64 pumpctl pump add PG-1
check a_bad_serial_is_wrong_usage fails_with 64 pumpctl pump show pg_1
check a_server_that_is_away_is_try_again fails_with 75 pumpctl pump list
check a_server_that_is_away_says_what_to_do says "pumpctl --home .* run. running" pumpctl pump list
examples_parse() {
	local line n=0
	while read -r line; do
		line=${line%% >*} # nothing is written into the tree
		eval "${line%% <*} --help" >/dev/null || { echo "$line"; return 1; }
		n=$((n + 1))
	done < <(pumpctl --help | awk '/^  [a-z]/{print $1, ($2 ~ /^[a-z]/) ? $2 : ""}' |
		while read -r group verb; do
			# shellcheck disable=SC2086 # one or two words
			pumpctl $group $verb --help 2>/dev/null | sed -n 's/^  \(pumpctl .*\)/\1/p'
		done)
	[ "$n" -ge 60 ] || { echo "only $n examples"; return 1; }
}
check every_verb_has_three_examples_that_parse examples_parse

scratch_run || { cat "$SCRATCH/run.out" >&2; exit 1; }
cd "$SCRATCH" || exit 1

# ---- zones and NAS ----
check a_zone_without_a_vlan_is_wrong_usage fails_with 64 pumpctl zone add icu
check vlan_0_is_wrong_usage fails_with 64 pumpctl zone add icu --vlan 0
check vlan_4095_is_wrong_usage fails_with 64 pumpctl zone add icu --vlan 4095
check a_zone_goes_in pumpctl zone add icu --vlan 110 --filter-id pumps
check the_same_zone_again_is_nothing_to_do fails_with 2 pumpctl zone add icu --vlan 110 --filter-id pumps
check another_vlan_for_it_is_refused fails_with 1 pumpctl zone add icu --vlan 111
(umask 077 && printf 'testing123' >nas.secret && printf 'short' >short.secret)
(umask 022 && printf 'testing12345678901234567' >open.secret)
check a_secret_that_others_can_read_is_refused \
	says "chmod 600" pumpctl nas add ap-1 --ip 127.0.0.1 --secret-file open.secret
check a_secret_of_five_bytes_is_refused \
	fails_with 1 pumpctl nas add ap-1 --ip 127.0.0.1 --secret-file short.secret
check an_address_that_is_none_is_wrong_usage \
	fails_with 64 pumpctl nas add ap-1 --ip 300.1.1.1 --secret-file nas.secret
check a_short_secret_is_taken_with_a_warning \
	says "warning: the secret has 10 bytes" pumpctl nas add ap-1 --ip 127.0.0.1 --secret-file nas.secret
check a_secret_comes_by_standard_input bash -c \
	"printf 'secret-of-twenty-five-byte\n' | pumpctl nas add sw-2 --ip 127.0.0.2 --secret-file -"
check no_listing_shows_a_secret bash -c \
	"! { pumpctl nas list; pumpctl nas list --json; } | grep -iE 'testing123|74657374|secret\"'"

# ---- inventory ----
check pump_add_needs_a_zone_that_exists fails_with 1 pumpctl pump add PG-1 --maker Acme --model P1 \
	--mac "$(mac 1)" --zone nowhere
check pump_add_goes_in pumpctl pump add PG-1 --maker Acme --model P1 --mac "$(mac 1)" --zone icu --ward 3B
check pump_add_again_is_nothing_to_do fails_with 2 pumpctl pump add PG-1 --maker Acme --model P1 \
	--mac "$(mac 1)" --zone icu --ward 3B
check pump_add_with_another_model_is_refused fails_with 1 pumpctl pump add PG-1 --maker Acme --model P2 \
	--mac "$(mac 1)" --zone icu --ward 3B
{
	printf '\xef\xbb\xbfserial,maker,model,mac,ward,zone\r\n'
	for i in $(seq 2 700); do printf 'PG-%d,Acme,"P, 1",%s,3B,icu\r\n' "$i" "$(mac "$i")"; done
} >good.csv
{
	printf 'zone;serial;mac;maker;model;note\n'
	printf 'icu;PG-701;%s;Acme;P1;x\n' "$(mac 701)"
	printf 'icu;PG-701;%s;Acme;P1;x\n' "$(mac 702)"
	printf 'icu;PG-703;%s;=cmd();P1;x\n' "$(mac 703)"
	printf 'none;PG-704;%s;Acme;P1;x\n' "$(mac 704)"
	printf 'icu;PG-705;%s;Acme;P1;x\n' "$(mac 1)"
} >bad.csv
check a_dry_run_changes_nothing says "nothing changed: 699 rows are good, 0 refused" \
	pumpctl pump import good.csv --dry-run
check the_inventory_is_still_of_one json 'length == 1' < <(pumpctl pump list --json)
check a_good_file_goes_in says "^699 added, 0 unchanged, 0 refused" pumpctl pump import good.csv
check a_good_file_again_is_nothing_to_do fails_with 2 pumpctl pump import good.csv
check a_file_with_bad_rows_fails fails_with 1 pumpctl pump import bad.csv
check each_bad_row_is_named says "line 3: PG-701: the same serial as in line 2" pumpctl pump import bad.csv
check bad_rows_are_in_the_json prints_json \
	'(.refused == 4) and ([.refused_rows[].line] == [3,4,5,6]) and (.unchanged == 1)' \
	pumpctl pump import bad.csv --json
ten_megabytes() {
	{ echo serial,maker,model,mac,zone; head -c 10000000 /dev/zero | tr '\0' x; echo
	  echo "PG-800,Acme,P1,$(mac 800),icu"; } | pumpctl pump import -
}
check a_line_of_ten_megabytes_is_one_bad_row says "1 added, 0 unchanged, 1 refused" ten_megabytes
killed_in_between() {
	local status
	{
		echo serial,maker,model,mac,zone
		for i in $(seq 1000 1300); do echo "PG-$i,Acme,P1,$(mac "$i"),icu"; done
		kill -9 "$(pgrep -f "pumpgate-registryd --home $PUMPGATE_HOME")"
		for i in $(seq 1301 1600); do echo "PG-$i,Acme,P1,$(mac "$i"),icu"; done
	} | pumpctl pump import -
	status=$?
	[ "$status" = 0 ] && [ "$(pumpctl pump list --json | jq '[.[] | select(.ward == "")] | length')" = 603 ]
}
check an_import_rides_out_a_killed_registry killed_in_between
check an_empty_file_is_refused fails_with 1 pumpctl pump import /dev/null
check a_folder_is_refused fails_with 1 pumpctl pump import /tmp
check a_list_spans_pages json 'length == 1303 and ([.[].serial] | unique | length) == 1303' \
	< <(pumpctl pump list --json)
check a_list_is_filtered json 'length == 701' < <(pumpctl pump list --ward 3B --model 'P, 1' --json; \
	pumpctl pump list --ward 3B --json | jq '. + [1]')

# ---- every listing in JSON ----
for verb in "zone list" "nas list" "pump list" "cert list" "session list --all" "audit tail -n 5" \
	"pump events PG-1"; do
	# shellcheck disable=SC2086 # words
	check "${verb// /_}_is_a_json_array" prints_json 'type == "array"' pumpctl $verb --json
done
for verb in "pump show PG-1" "pump why PG-1" "status" "doctor" "audit verify" "pump token PG-1"; do
	# shellcheck disable=SC2086
	check "${verb// /_}_is_a_json_object" prints_json 'type == "object"' pumpctl $verb --json
done
check times_are_rfc_3339_or_null prints_json \
	'(.added_at | test("^20[0-9-]{8}T[0-9:.]{12}Z$")) and .last_seen == null' pumpctl pump show PG-1 --json
check tables_have_titles says "^SERIAL +STATE" pumpctl pump list
wide() { script -qec "stty cols 60; pumpctl pump list" /dev/null | tr -d '\r' | awk 'length > 60' | grep . ; }
check a_table_fits_the_terminal fails_with 1 wide

# ---- tokens and bundles ----
check a_token_stands_alone_on_standard_output bash -c \
	"pumpctl pump token PG-2 2>/dev/null | grep -qxE '[A-Za-z0-9_-]{20,}'"
check a_token_for_nobody_is_refused fails_with 1 pumpctl pump token PG-999
check a_ttl_of_nothing_is_wrong_usage fails_with 64 pumpctl pump token PG-2 --ttl 0s
check a_bundle_is_written pumpctl pump bundle PG-3
check a_bundle_is_closed_to_others [ "$(stat -c %a PG-3.bundle.json)" = 600 ]
anchor=$(openssl x509 -in "$TRUST" -outform DER | sha256sum | cut -d' ' -f1)
awk '/BEGIN/{n++} {print > ("part" n)}' "$TRUST"
for part in part*; do
	openssl verify -CAfile "$part" "$part" >/dev/null 2>&1 &&
		anchor=$(openssl x509 -in "$part" -outform DER | sha256sum | cut -d' ' -f1)
done
# shellcheck disable=SC2016 # jq variables
check a_bundle_has_the_documented_members jq -e --arg a "$anchor" --arg u "$EST_URL" \
	'keys == ["est","login_server","login_server_name","pump","radius_server_name","server_anchor_sha256","token","version"] and
	(.login_server | test("^127.0.0.1:[0-9]+$")) and
	.version == 1 and .pump == "PG-3" and .server_anchor_sha256 == $a and .est == $u' PG-3.bundle.json
check a_bundle_summary_has_no_token bash -c \
	"pumpctl pump bundle PG-3 --json | jq -e '.file == \"PG-3.bundle.json\" and (has(\"token\") | not)'"
check a_qr_code_is_drawn says "▀" pumpctl pump bundle PG-4 --qr
check a_qr_code_leaves_no_file [ ! -e PG-4.bundle.json ]
check no_log_holds_a_token bash -c \
	"! grep -rF \"\$(jq -r .token PG-3.bundle.json)\" '$PUMPGATE_HOME/log' '$PUMPGATE_HOME/registry'"

# ---- why, revoke, audit ----
check why_of_nobody_says_add fails_with 1 pumpctl pump why PG-999
check why_of_an_expected_pump_says_bundle says "next: .*pumpctl pump bundle PG-5" pumpctl pump why PG-5
check why_knows_the_open_token says "token is open until" pumpctl pump why PG-3
check a_revocation_needs_a_reason fails_with 64 pumpctl pump revoke PG-5
check a_revocation_of_nobody_fails fails_with 1 pumpctl pump revoke PG-999 --reason lost
check a_revocation_without_sessions_is_green says "PG-5 is revoked by .*: lost" \
	pumpctl pump revoke PG-5 --reason lost
check a_second_revocation_shows_the_first_receipt says "was already revoked by .*: lost" \
	pumpctl pump revoke PG-5 --reason other
check a_second_revocation_is_nothing_to_do fails_with 2 pumpctl pump revoke PG-5 --reason other
check the_receipt_has_times prints_json \
	'.committed_ms >= 0 and .confirmed and .return_refused_at == null and (.orders == [])' \
	pumpctl pump revoke PG-5 --reason other --json
check why_of_a_revoked_pump_says_by_whom says "revoked by .* at 20.*: lost" pumpctl pump why PG-5
check the_audit_is_intact says "^intact: [0-9]+ rows" pumpctl audit verify
check the_audit_names_the_revocation says "pump.revoke +PG-5" pumpctl audit tail -n 3
scratch_stop
tap_done
