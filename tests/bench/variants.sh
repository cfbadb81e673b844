# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=bash
# The FreeRADIUS configurations that `make bench` compares with ours. Source it.
#
# Each function makes a raddb in DIR. In common: SECRET (text), KEY and CERT of the server, CLIENT_CA,
# PORT and CACHE (yes, no: the daemon's TLS session cache, which
# is a folder of files).

# variant_eap_only DIR: the least that EAP-TLS can cost.
variant_eap_only() {
	mkdir -p "$1/tlscache"
	chmod 0700 "$1/tlscache"
	sed -e "s|@DIR@|$1|; s|@SECRET@|$SECRET|; s|@KEY@|$KEY|; s|@CERT@|$CERT|" \
		-e "s|@CLIENT_CA@|$CLIENT_CA|; s|@PORT@|$PORT|; s|@CACHE@|$CACHE|" \
		"$HERE/raddb-eap-only/radiusd.conf" >"$1/radiusd.conf"
}

# variant_stock_sql DIR: Debian's configuration as it is installed, with just what a site must
# change for EAP-TLS with its own certificates and a user table in SQLite.
variant_stock_sql() {
	local dir=$1 vlan=$2
	cp -a /etc/freeradius/3.0 "$dir"
	sed -i -e "s|^raddbdir = .*|raddbdir = $dir|; s|^logdir = .*|logdir = $dir/log|" \
		-e "s|^run_dir = .*|run_dir = $dir/run|; s|^pidfile = .*|pidfile = $dir/run/radiusd.pid|" \
		-e 's/^\(\s*\)\(user\|group\) = /\1# \2 = /' "$dir/radiusd.conf"
	mkdir -p "$dir/log/radacct" "$dir/run" "$dir/tlscache"
	chmod 0700 "$dir/tlscache"
	# only IPv4, on our ports
	awk -v port="$PORT" '
		/^listen \{/ { block = ""; inside = 1; six = 0 }
		inside && /^[ \t]*ipv6addr = / { six = 1 }
		inside && /^[ \t]*port = 0/ && !six { sub(/port = 0/, "port = " port++) }
		{ if (inside) block = block $0 "\n"; else print }
		inside && /^\}/ { if (!six) printf "%s", block; inside = 0 }
	' "$dir/sites-available/default" >"$dir/default"
	rm "$dir/sites-enabled/default" "$dir/sites-enabled/inner-tunnel"
	mv "$dir/default" "$dir/sites-enabled/default"
	sed -i "s|port = 18120|port = $((PORT + 2))|" "$dir/sites-available/inner-tunnel"
	cp "$dir/sites-available/inner-tunnel" "$dir/sites-enabled/inner-tunnel"
	cat >"$dir/clients.conf" <<-END
		client localhost {
			ipaddr = 127.0.0.1
			secret = $SECRET
			require_message_authenticator = yes
		}
	END
	sed -i -e 's|default_eap_type = md5|default_eap_type = tls|' \
		-e "s|^\(\s*\)private_key_file = .*|\1private_key_file = $KEY|" \
		-e "s|^\(\s*\)private_key_password = .*||" \
		-e "s|^\(\s*\)certificate_file = .*|\1certificate_file = $CERT|" \
		-e "s|^\(\s*\)ca_file = .*|\1ca_file = $CLIENT_CA|" \
		-e "s|^\(\s*\)dh_file = .*||" \
		-e 's|^#\?\(\s*\)#\s*name = "EAP module"|\1name = "bench"|' \
		-e "s|^#\?\(\s*\)#\s*persist_dir = .*|\1persist_dir = $dir/tlscache|" \
		-e "/^\s*cache {/,/^\s*}/ s|enable = no|enable = $CACHE|" \
		"$dir/mods-enabled/eap"
	sed -e 's|driver = "rlm_sql_null"|driver = "rlm_sql_sqlite"|' \
		-e "s|filename = \"/tmp/freeradius.db\"|filename = \"$dir/radius.db\"|" \
		"$dir/mods-available/sql" >"$dir/mods-enabled/sql"
	sqlite3 "$dir/radius.db" <"$dir/mods-config/sql/main/sqlite/schema.sql"
	{
		echo "begin;"
		for attribute in "Tunnel-Type := VLAN" "Tunnel-Medium-Type := IEEE-802" \
			"Tunnel-Private-Group-Id := $vlan"; do
			# shellcheck disable=SC2086 # three words
			set -- $attribute
			echo "insert into radgroupreply(groupname, attribute, op, value)
				values('pumps', '$1', '$2', '$3');"
		done
		for key in "$CLIENTS"/*.pem; do
			echo "insert into radusergroup(username, groupname, priority)
				values('$(basename "$key" .pem)', 'pumps', 1);"
		done
		echo "commit;"
	} | sqlite3 "$dir/radius.db"
}
