-- SPDX-License-Identifier: BSD-2-Clause
-- Alarms about copied keys, and what it takes to tell them from pumps that move: docs/decisions/0105.

-- Where the NAS stands; '': nobody told.
ALTER TABLE nas ADD COLUMN site TEXT NOT NULL DEFAULT '';

-- Further network cards of a pump, besides devices.mac.
CREATE TABLE device_macs (
	id INTEGER PRIMARY KEY,
	device_id BIGINT NOT NULL REFERENCES devices (id),
	mac TEXT NOT NULL UNIQUE,
	added_at BIGINT NOT NULL
);
CREATE INDEX device_macs_device ON device_macs (device_id, id);

-- subject: what an open alarm of a kind is kept once for (the pump, or the NAS). device: whose
-- certificate was presented, never a claimed name.
CREATE TABLE alarms (
	id INTEGER PRIMARY KEY,
	kind TEXT NOT NULL,
	subject TEXT NOT NULL,
	state TEXT NOT NULL CHECK (state IN ('open', 'acknowledged')),
	device TEXT NOT NULL,
	nas TEXT NOT NULL,
	other_nas TEXT NOT NULL,
	cert_serial TEXT NOT NULL,
	mac TEXT NOT NULL,
	other_mac TEXT NOT NULL,
	detail TEXT NOT NULL,
	action TEXT NOT NULL CHECK (action IN ('none', 'quarantined', 'capped', 'failed')),
	acted_at BIGINT NOT NULL,
	count BIGINT NOT NULL,
	first_at BIGINT NOT NULL,
	last_at BIGINT NOT NULL,
	acked_at BIGINT NOT NULL,
	acked_by TEXT NOT NULL,
	note TEXT NOT NULL
);
CREATE UNIQUE INDEX alarms_open ON alarms (kind, subject) WHERE state = 'open';
CREATE INDEX alarms_device ON alarms (device, id);
CREATE INDEX alarms_last ON alarms (last_at);
