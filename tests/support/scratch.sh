# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=bash
# A whole server in a scratch home, for system tests. Source it after tap.sh.
#
#   scratch_up [INIT-OPTION...]   init on free loopback ports, run, wait until ready
#   scratch_install               the programs in a folder that every user can read
#   scratch_down                  stop and remove (also by itself when the script ends)
#
# SCRATCH_SETTINGS, if set, is added to the end of pumpgate.conf.
# Sets and exports PUMPGATE_HOME, RADIUS_AUTH, RADIUS_ACCT (address:port), RADIUS_AUTH_PORT,
# RADIUS_ACCT_PORT, EST_URL, EST_PORT, HTTP_URL (CRL and OCSP), TRUST; SCRATCH is a folder for the
# test's own files, SUPERVISOR the process id of `pumpctl run`. The programs of $PUMPGATE_BUILD/bin come first in PATH.
PUMPGATE_BUILD=$(cd "${PUMPGATE_BUILD:-build}" && pwd)
export PUMPGATE_BUILD
PATH=$PUMPGATE_BUILD/bin:$PATH
SCRATCH=
SUPERVISOR=

scratch_folder() {
	[ -z "$SCRATCH" ] || return 0
	SCRATCH=$(mktemp -d "${TMPDIR:-/tmp}/pumpgate-test.XXXXXX")
	chmod 0755 "$SCRATCH" # processes may have users of their own
	trap scratch_down EXIT
}

# Puts the programs where every user can reach them, whatever the checkout's folder allows, and first
# in PATH.
scratch_install() {
	scratch_folder
	mkdir -p "$SCRATCH/prefix/lib" "$SCRATCH/prefix/share"
	cp -R "$PUMPGATE_BUILD/bin" "$SCRATCH/prefix/"
	cp -R "$PUMPGATE_BUILD/lib/pumpgate" "$SCRATCH/prefix/lib/"
	cp -R "$PUMPGATE_BUILD/share/pumpgate" "$SCRATCH/prefix/share/"
	chmod -R a+rX "$SCRATCH/prefix"
	PATH=$SCRATCH/prefix/bin:$PATH
}

# scratch_init [INIT-OPTION...]: a new home that is not running yet.
scratch_init() {
	local base

	scratch_folder
	export PUMPGATE_HOME=$SCRATCH/home
	rm -rf "$PUMPGATE_HOME"
	# below the kernel's ephemeral range, so that no client's socket sits there
	base=$(shuf -i 10000-29990 -n 1)
	pumpctl init --radius-auth-port "$base" --radius-acct-port "$((base + 1))" \
		--est-port "$((base + 2))" --http-port "$((base + 3))" --radsec-port "$((base + 4))" \
		--login-port "$((base + 8))" \
		"$@" >"$SCRATCH/init.out" 2>&1 || return
	printf '%s' "${SCRATCH_SETTINGS:-}" >>"$PUMPGATE_HOME/pumpgate.conf"
}

# scratch_run: starts what scratch_init made and waits until it is ready.
scratch_run() {
	pumpctl run >"$SCRATCH/run.out" 2>&1 &
	SUPERVISOR=$!
	local deadline=$((SECONDS + ${SCRATCH_WAIT_S:-60}))
	until [ -s "$PUMPGATE_HOME/run.json" ]; do
		if ! kill -0 "$SUPERVISOR" 2>/dev/null || [ $SECONDS -ge $deadline ]; then
			return 1
		fi
		sleep 0.05
	done
	RADIUS_AUTH=$(jq -r .radius.auth "$PUMPGATE_HOME/run.json")
	RADIUS_ACCT=$(jq -r .radius.acct "$PUMPGATE_HOME/run.json")
	EST_URL=$(jq -r .est "$PUMPGATE_HOME/run.json")
	TRUST=$(jq -r .trust "$PUMPGATE_HOME/run.json")
	RADIUS_AUTH_PORT=${RADIUS_AUTH##*:}
	RADIUS_ACCT_PORT=${RADIUS_ACCT##*:}
	EST_PORT=${EST_URL%%/.well-known*}
	EST_PORT=${EST_PORT##*:}
	HTTP_URL=$(jq -r '.http // empty' "$PUMPGATE_HOME/run.json")
	export RADIUS_AUTH RADIUS_ACCT EST_URL TRUST RADIUS_AUTH_PORT RADIUS_ACCT_PORT EST_PORT HTTP_URL
}

scratch_up() {
	local try

	for try in 1 2 3; do # somebody else may have taken a port between choosing and binding
		scratch_init "$@" && scratch_run && return 0
		scratch_stop
	done
	echo "scratch_up failed $try times:" >&2
	cat "$SCRATCH"/*.out "$PUMPGATE_HOME"/log/*.log >&2 2>/dev/null
	return 1
}

# Stops the server but keeps the home.
scratch_stop() {
	if [ -n "$SUPERVISOR" ]; then
		kill -TERM "$SUPERVISOR" 2>/dev/null
		wait "$SUPERVISOR" 2>/dev/null
	fi
	SUPERVISOR=
}

scratch_down() {
	scratch_stop
	[ -z "$SCRATCH" ] || {
		# an event ring that was not empty stays
		rm -f "$(readlink "$PUMPGATE_HOME/registry/events.ring")"
		rm -rf "$SCRATCH"
	}
	SCRATCH=
}
