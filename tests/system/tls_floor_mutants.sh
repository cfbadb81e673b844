#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# A model's floor of TLS at a real FreeRADIUS, and against an rlm_pump with a planted fault: a pump
# below its floor must then be seen where it must not be.
# shellcheck disable=SC2317,SC2119 # functions are called by check
cd "$(dirname "$0")/../.." || exit 1
# shellcheck source=tests/support/tap.sh
. tests/support/tap.sh
# shellcheck source=tests/support/scratch.sh
. tests/support/scratch.sh
# shellcheck source=tests/support/pump_client.sh
. tests/support/pump_client.sh
case $PUMPGATE_BUILD in *address* | *thread*)
	skip "tls_floor_mutants" "the plain build is enough"
	tap_done
	;;
esac
cc=${CC:-gcc}

scratch_install && scratch_up || exit 1
site_up && pump_enrol PG-1 && pumpctl zone add jail --vlan 198 --quarantine >/dev/null &&
	pumpctl model tls Flow-9 --min 1.3 >/dev/null || exit 1
supplicant_conf tls13 PG-1 "$SCRATCH/PG-1.pem" "$SCRATCH/PG-1.key" tls_disable_tlsv1_3=0

lands() { # CONF VLAN REASON
	eap "$1" && [ "$(accept_attribute 81)" = "$(printf '%s' "$2" | xxd -p)" ] &&
		[ "$(last_attempt reason)" = "$3" ]
}
floor_holds() {
	lands PG-1 198 tls-below-model && lands tls13 120 in-good-standing
}
floor_fails() { ! floor_holds; }

# mutant SENTENCE SOURCE SED-SCRIPT: the server again, with rlm_pump linked from that
mutant() {
	local source=radius_modules/rlm_pump/$2

	scratch_stop
	sed -E "$3" "$source" >"$SCRATCH/mutant.c"
	if cmp -s "$source" "$SCRATCH/mutant.c"; then
		check "mutant_applies: $1" false
		return
	fi
	find "$PUMPGATE_BUILD/obj/radius_modules/rlm_pump" "$PUMPGATE_BUILD/obj/radius_modules/radsec/hop.o" \
		"$PUMPGATE_BUILD/obj/policies" "$PUMPGATE_BUILD/obj/sql/proto" "$PUMPGATE_BUILD/obj/base" \
		-name '*.o' | grep -v "/rlm_pump/${2%.c}\.o\$" >"$SCRATCH/objects"
	if ! "$cc" -std=gnu11 -D_GNU_SOURCE -I. -I"$PUMPGATE_BUILD/gen" -fPIC -pthread -O1 -w \
		-fno-strict-aliasing -D_REENTRANT -DNDEBUG -DIS_MODULE=1 \
		-idirafter radius_modules/rlm_pump/shim -include freeradius/autoconf.h \
		-include freeradius/build.h -include freeradius/features.h \
		-include freeradius/radpaths.h -c -o "$SCRATCH/mutant.o" "$SCRATCH/mutant.c" ||
		! "$cc" -shared -pthread -o "$SCRATCH/prefix/lib/pumpgate/rlm_pump.so" \
			-Wl,--version-script=radius_modules/rlm_pump/exports.map "$SCRATCH/mutant.o" \
			"@$SCRATCH/objects" -lssl -lcrypto -ltalloc -lsodium -levent \
			-levent_pthreads -linih -lseccomp || ! scratch_run; then
		check "mutant_builds_and_runs: $1" false
		return
	fi
	# it lets pumps on all the same: what fails is the floor
	eap tls13 || eap PG-1 || check "it_lets_somebody_on: $1" false
	check "the_test_notices: $1" floor_fails
}

check "below_its_floor_a_pump_lands_in_quarantine_and_above_it_in_its_own_zone" floor_holds
mutant "the floor is not looked at" auth_ops.c 's/c->v\.tls_min = c->f\.tls_min;//'
mutant "every pump is taken for one with TLS 1.3" tls_seen.c \
	's/out->version = tls_version_parse\(version\);/out->version = 13;/'
mutant "it is called quarantine and is its own zone" auth_ops.c \
	's/if \(a->verdict.reason == REASON_TLS_BELOW_MODEL\) \{/if (0) {/'
tap_done
