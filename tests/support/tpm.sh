# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=bash
# A TPM 2.0 in software (swtpm) with a resource manager (tpm2-abrmd) on a D-Bus of its own.
#
#   tpm_missing          prints what is not installed; nothing when all is
#   tpm_start DIR        exports TPM2OPENSSL_TCTI and DBUS_SESSION_BUS_ADDRESS
#   tpm_openssl_conf     prints an openssl.cnf for wpa_supplicant
#   tpm_stop             (also a TPM that is gone)
#   tpm_lock DIR         somebody gives it wrong passwords until it takes none; tpm_unlock
declare -A TPM_PID

tpm_missing() {
	local tool
	for tool in swtpm tpm2-abrmd dbus-daemon tpm2_dictionarylockout; do
		command -v "$tool" >/dev/null || echo "$tool"
	done
	openssl list -providers -provider default -provider tpm2 2>&1 |
		grep -q 'could not load' && echo tpm2-openssl
	return 0
}

tpm_start() {
	local dir=$1 port try
	mkdir -p "$dir/tpm"
	for try in 1 2 3 4 5; do
		port=$(shuf -i 10000-29990 -n 1)
		swtpm socket --tpm2 --tpmstate "dir=$dir/tpm" --flags not-need-init,startup-clear \
			--server "type=tcp,port=$port,bindaddr=127.0.0.1" \
			--ctrl "type=tcp,port=$((port + 1)),bindaddr=127.0.0.1" >"$dir/swtpm.log" 2>&1 &
		TPM_PID[swtpm]=$!
		sleep 0.3
		kill -0 "${TPM_PID[swtpm]}" 2>/dev/null && break
		[ "$try" = 5 ] && return 1
	done
	cat >"$dir/bus.conf" <<-END
		<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
		 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
		<busconfig><type>session</type><listen>unix:path=$dir/bus</listen><auth>EXTERNAL</auth>
		<policy context="default"><allow send_destination="*" eavesdrop="true"/><allow eavesdrop="true"/>
		<allow own="*"/></policy></busconfig>
	END
	dbus-daemon --config-file="$dir/bus.conf" --nofork --nopidfile >"$dir/bus.log" 2>&1 &
	TPM_PID[bus]=$!
	export DBUS_SESSION_BUS_ADDRESS=unix:path=$dir/bus TPM2OPENSSL_TCTI=tabrmd:bus_type=session
	for try in $(seq 100); do
		[ -S "$dir/bus" ] && break
		sleep 0.05
	done
	tpm2-abrmd --session --allow-root --tcti="swtpm:host=127.0.0.1,port=$port" >"$dir/abrmd.log" 2>&1 &
	TPM_PID[abrmd]=$!
	for try in $(seq 100); do
		dbus-send --bus="$DBUS_SESSION_BUS_ADDRESS" --print-reply --dest=org.freedesktop.DBus / \
			org.freedesktop.DBus.NameHasOwner string:com.intel.tss2.Tabrmd 2>/dev/null |
			grep -q 'boolean true' && sleep 0.3 && return 0
		sleep 0.1
	done
	return 1
}

tpm_openssl_conf() {
	cat <<-'END'
		openssl_conf = all
		[all]
		providers = providers
		alg_section = algorithms
		[providers]
		default = active
		tpm2 = active
		[active]
		activate = 1
		[algorithms]
		default_properties = ?tpm2.signature=yes
	END
}

tpm_lock() {
	local try tcti=$TPM2OPENSSL_TCTI
	tpm2_dictionarylockout -T "$tcti" --setup-parameters --max-tries=1 --recovery-time=1000 --lockout-recovery-time=1000 &&
		tpm2_createprimary -T "$tcti" -Q -C o -c "$1/locked.ctx" -p right || return
	for try in 1 2; do
		! tpm2_create -T "$tcti" -Q -C "$1/locked.ctx" -P wrong -u "$1/locked.pub" -r "$1/locked.priv" 2>/dev/null || return
	done
	tpm2_getcap -T "$tcti" properties-variable | grep -q 'inLockout: *1'
}
tpm_unlock() {
	tpm2_dictionarylockout -T "$TPM2OPENSSL_TCTI" --clear-lockout &&
		tpm2_dictionarylockout -T "$TPM2OPENSSL_TCTI" --setup-parameters --max-tries=32 --recovery-time=10 --lockout-recovery-time=10
}

tpm_stop() {
	local p
	for p in abrmd bus swtpm; do
		[ -z "${TPM_PID[$p]:-}" ] || kill "${TPM_PID[$p]}" 2>/dev/null
		[ -z "${TPM_PID[$p]:-}" ] || wait "${TPM_PID[$p]}" 2>/dev/null
		unset "TPM_PID[$p]"
	done
}
