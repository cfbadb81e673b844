# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=bash
# The emulated infusion controller on the demo's pump. Source it after network.sh, switch.sh, stage.sh.
#
#   controller_start DIR    in the namespace `pump`; its link to the agent is DIR/pumplink
#   controller COMMAND...   a finger on its keypad; prints JSON
#   controller_shows TEXT   what its display says about the network
CONTROLLER_DIR=

controller_start() {
	CONTROLLER_DIR=$1
	mkdir -m 0700 "$1" || return
	start "$1.log" pump pump_controller --dir "$1" run --agent "$1/pumplink" --priority 50
	wait_for 10 "the controller" test -S "$1/keypad"
}
controller() { pump_controller --dir "$CONTROLLER_DIR" "$@"; }
display() { controller view | jq -r .network_text; }
controller_shows() { [ "$(display)" = "$1" ]; }
delivered_nl() { controller view | jq .delivered_nl; }
