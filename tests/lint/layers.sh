#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# The includes go one way. For each folder: which folders its files may include from (root-relative
# includes only), what words it may not contain, and that every file starts with its licence.
# Prints each breach; status 1 when there is one.
set -u
cd "$(dirname "$0")/../.." || exit 1
bad=0

say() {
	echo "layers: $1"
	bad=1
}

# allowed FOLDER INCLUDE-PREFIX...
allowed() {
	folder=$1
	shift
	pattern=$(printf '%s|' "$@" | sed 's/|$//')
	found=$(git grep -nE '^#include "' -- "$folder/*.c" "$folder/*.h" |
		grep -vE "#include \"($pattern)" | grep -vE '\.inc"')
	[ -z "$found" ] || say "$folder may include only from: $*
$found"
}

allowed base base/
allowed policies base/ policies/
allowed sql/proto base/ sql/proto/ sql/wire/
allowed sql/serve base/ sql/serve/
allowed sql/people base/ policies/ sql/proto/ sql/wire/ sql/store/ sql/people/
allowed sql/credd base/ policies/ sql/
allowed sql/wire base/ sql/wire/
allowed sql/client base/ sql/proto/ sql/client/
allowed sql/store base/ policies/ sql/proto/ sql/store/
allowed sql/registryd base/ policies/ sql/
allowed sql/directory base/ sql/directory/
allowed ca/proto base/ ca/proto/
allowed ca base/ policies/ sql/proto/ sql/client/ ca/
allowed enroll base/ policies/ sql/proto/ sql/wire/ sql/client/ ca/proto/ ca/request/ enroll/
allowed radius_modules base/ policies/ sql/proto/ sql/wire/ sql/client/ radius_modules/
allowed radius_modules/packet base/ radius_modules/packet/
allowed pump_agent base/ ca/request/ sql/wire/ radius_modules/packet/ pump_agent/

# SQL stands in sql/ only; the packet formats of others stay out of it.
found=$(git grep -nE 'sqlite3' -- 'base/*.[ch]' 'policies/*.[ch]' 'ca/*.[ch]' 'enroll/*.[ch]' \
	'radius_modules/*.[ch]' 'pump_agent/*.[ch]')
[ -z "$found" ] || say "SQLite outside sql/: $found"
found=$(git grep -nE '#include <sqlite3' -- 'sql/*.h' 'sql/registryd/*.c' 'sql/proto/*.c')
[ -z "$found" ] || say "SQLite types outside the store: $found"

# No network socket in the signer, none that listens in the agent.
found=$(git grep -nE 'AF_INET|getaddrinfo|evhttp' -- 'ca/*.c')
[ -z "$found" ] || say "ca/ must not touch the network: $found"
found=$(git grep -nE '\blisten\(|evconnlistener' -- 'pump_agent/*.c')
[ -z "$found" ] || say "the agent listens on nothing: $found"

# FreeRADIUS headers mean GPL.
for file in $(git grep -lE '#include <freeradius' -- '*.c' '*.h'); do
	grep -q 'SPDX-License-Identifier: GPL-2.0-or-later' "$file" ||
		say "$file includes FreeRADIUS headers and must be GPL-2.0-or-later"
done

for file in $(git ls-files '*.c' '*.h' '*.sh' '*.mk' '*.sql' Makefile); do
	head -n 3 "$file" | grep -q 'SPDX-License-Identifier' || say "$file: no SPDX line"
done
# Two verbs of one service under one number would be taken for one another.
for file in sql/proto/registry_verbs.h ca/proto/*.h; do
	found=$(grep -ohE '_[A-Z_]+ = [0-9]+,' "$file" | grep -oE '[0-9]+' | sort | uniq -d | xargs)
	[ -z "$found" ] || say "$file: numbers given twice: $found"
done
# Names that say nothing.
found=$(git ls-files | grep -E '(^|/)(util|utils|misc|helpers?|common)(\.|/|_)')
[ -z "$found" ] || say "a name that says nothing: $found"
exit "$bad"
