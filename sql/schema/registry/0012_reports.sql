-- SPDX-License-Identifier: BSD-2-Clause
-- What each pump last said of itself: docs/decisions/0150. No facts for the verdict.

CREATE TABLE reports (
	device_id INTEGER NOT NULL PRIMARY KEY REFERENCES devices (id),
	at BIGINT NOT NULL,
	infusing_at BIGINT NOT NULL,
	changed_at BIGINT NOT NULL,
	cert_serial TEXT NOT NULL,
	source TEXT NOT NULL,
	software TEXT NOT NULL,
	key_protection TEXT NOT NULL,
	infusing TEXT NOT NULL,
	clock_checked INTEGER NOT NULL,
	clock_behind_ms BIGINT NOT NULL,
	clock_ahead_ms BIGINT NOT NULL,
	slots TEXT NOT NULL,
	server_anchors TEXT NOT NULL,
	device_anchors TEXT NOT NULL,
	ports TEXT NOT NULL,
	ports_more INTEGER NOT NULL
);
