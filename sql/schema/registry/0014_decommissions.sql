-- SPDX-License-Identifier: BSD-2-Clause
-- Pumps that leave the hospital: the order to wipe, and what the pump said when it had
-- (docs/decisions/0175).
CREATE TABLE decommissions (
	id INTEGER PRIMARY KEY,
	device_id BIGINT NOT NULL REFERENCES devices (id),
	wipe_order TEXT NOT NULL UNIQUE,
	state TEXT NOT NULL CHECK (state IN ('ordered', 'wiped', 'cancelled')),
	ordered_at BIGINT NOT NULL,
	ordered_by TEXT NOT NULL,
	reason TEXT NOT NULL,
	received_at BIGINT NOT NULL,
	cert_serial TEXT NOT NULL, -- whose key signed; '' before
	statement BLOB,
	signature BLOB
);
CREATE UNIQUE INDEX decommissions_open ON decommissions (device_id) WHERE state = 'ordered';
CREATE INDEX decommissions_device ON decommissions (device_id, id);
