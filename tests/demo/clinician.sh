# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=bash
# Clinicians at the demo's pump. Source it after controller.sh; the steps are demo.sh's.
#
#   directory_up              the hospital's directory: a slapd with TLS beside the server, made known in
#                             pumpgate.conf; between init and run
#   directory_down            ends it
#   at_keypad KIND WORDS...   types the secret on standard input at the controller's keypad; the outcome in
#                             a word, and " offline" when the server was not asked; KEYPAD_MS: how long
CLINICIAN_PASSWORD=stethoscope-71-lavender
CLINICIAN_PIN=8264
CLINICIAN_BADGE=04512277
DIRECTORY_PASSWORD=florence-1820 # of "nurse" in tests/support/hospital.ldif
KEYPAD_MS=0
KEYPAD_SAYS=

directory_up() {
	local ldap=$D/ldap
	# shellcheck disable=SC2016 # expanded inside
	inside srv bash -c '. tests/support/tap.sh && . tests/support/slapd.sh
		slapd_folder "$1" && slapd_load tests/support/hospital.ldif && slapd_start good good &&
			echo "$SLAPD_TLS_PORT" >"$1/port"' directory "$ldap" || return
	(umask 077 && echo service-secret >"$ldap/secret") || return
	chown "$(sed -n 's/^credd = *//p' "$PUMPGATE_HOME/pumpgate.conf")" "$ldap/secret" || return
	cat >>"$PUMPGATE_HOME/pumpgate.conf" <<-END

		[directory]
		servers = ldaps://127.0.0.1:$(cat "$ldap/port")
		ca_file = $ldap/ca.pem
		bind_dn = cn=pumpgate,dc=hospital
		bind_secret_file = $ldap/secret
		user_base = ou=people,dc=hospital
		user_filter = (&(objectClass=person)(uid=%u))
		group_base = ou=groups,dc=hospital
		unknown_users = accept
		role1 = nurse cn=pump-nurses,ou=groups,dc=hospital
	END
}

directory_down() {
	local pid
	for pid in $(ip netns pids "$NET-srv"); do
		[ "$(cat "/proc/$pid/comm")" != slapd ] || kill -TERM "$pid"
	done
}

at_keypad() {
	local began answer
	began=$(now_ms)
	answer=$(controller "$@")
	KEYPAD_MS=$(($(now_ms) - began))
	KEYPAD_SAYS=$(jq -r '.result + (if .result == "ok" and .session.offline then " offline" else "" end)' <<<"$answer")
}
typed() { at_keypad badge "$CLINICIAN_BADGE" <<<"$CLINICIAN_PIN"; }
# wanted OUTCOME
wanted() { [ "$KEYPAD_SAYS" = "$1" ] || { fail "the keypad says '$KEYPAD_SAYS', wanted '$1'"; return 1; }; }

# The login server's process, to be held (STOP) and let go on (CONT).
login_server() {
	local pid
	for pid in $(ip netns pids "$NET-srv"); do
		if tr '\0' ' ' <"/proc/$pid/cmdline" | grep -q clinicians/raddb; then
			kill "-$1" "$pid" || return
		fi
	done
}
pump_remembers() { [ "$(jq .logins.people "$D/pump/status.json")" = "$1" ]; }

display_names_nobody() { [ "$(controller who)" = nobody ]; }

clinician_logs_in() {
	printf '%s\n%s\n' "$CLINICIAN_PASSWORD" "$CLINICIAN_PIN" |
		pumpctl user add a.meier --display "Anna Meier" --role nurse --ward ICU-2 --badge "$CLINICIAN_BADGE" || return
	at_keypad login a.meier <<<"not-the-password-12"
	wanted refused || return
	at_keypad login a.meier <<<"$CLINICIAN_PASSWORD"
	wanted ok || return
	OUTCOME="$(controller who) by name and password in $KEYPAD_MS ms"
	typed
	wanted ok || return
	OUTCOME="$OUTCOME, by badge and PIN in $KEYPAD_MS ms; wrong password: refused"
	at_keypad login nurse <<<"$DIRECTORY_PASSWORD"
	wanted ok || return
	OUTCOME="$OUTCOME; $(controller who) by the hospital's directory (slapd) in $KEYPAD_MS ms"
	typed
	wanted ok || return
	wait_for 5 "the pump to keep what it needs without the server" pump_remembers 1 || return
	show pumpctl user sessions
}

clinician_without_server() {
	login_server STOP || return
	typed
	wanted "ok offline" || return
	OUTCOME="login server stopped: badge and PIN in $KEYPAD_MS ms by what the pump kept"
	at_keypad login a.meier <<<"$CLINICIAN_PASSWORD"
	wanted unavailable || return
	OUTCOME="$OUTCOME; a password is never kept: unavailable"
}

# bit 0 of `ways`: the pump has heard its login server
server_is_heard() { [ $(($(controller view | jq .ways) & 1)) = 1 ]; }

clinician_disabled() {
	login_server CONT || return
	wait_for 15 "the pump to find its login server again" server_is_heard || return
	pumpctl user disable a.meier --reason "has left" || return
	typed
	wanted refused || return
	wait_for 5 "the display to show nobody" display_names_nobody || return
	wait_for 5 "the pump to forget" pump_remembers 0 || return
	login_server STOP || return
	typed
	login_server CONT
	wanted unavailable || return
	OUTCOME="after user disable: refused, logged out, forgotten by the pump; with the login server stopped again: nobody"
}
