-- SPDX-License-Identifier: BSD-2-Clause
-- What the network reported: attempts, enrolment failures, sessions. No foreign key into the
-- registry: an event of an unknown pump is an event too.

-- subject: the pump if it is known, else the name that was claimed.
CREATE TABLE events (
	id INTEGER PRIMARY KEY,
	at BIGINT NOT NULL,
	source TEXT NOT NULL,
	subject TEXT NOT NULL,
	what TEXT NOT NULL,
	reason TEXT NOT NULL,
	method TEXT NOT NULL,
	device TEXT NOT NULL,
	identity TEXT NOT NULL,
	issuer TEXT NOT NULL,
	cert_serial TEXT NOT NULL,
	mac TEXT NOT NULL,
	nas TEXT NOT NULL,
	nas_port TEXT NOT NULL,
	session_id TEXT NOT NULL,
	zone TEXT NOT NULL,
	vlan INTEGER NOT NULL,
	took_us INTEGER NOT NULL,
	detail TEXT NOT NULL
);
CREATE INDEX events_subject ON events (subject, id);

CREATE TABLE sessions (
	id INTEGER PRIMARY KEY,
	nas TEXT NOT NULL,
	session_id TEXT NOT NULL,
	device TEXT NOT NULL,
	cert_serial TEXT NOT NULL,
	mac TEXT NOT NULL,
	nas_port TEXT NOT NULL,
	calling_station TEXT NOT NULL,
	zone TEXT NOT NULL,
	vlan INTEGER NOT NULL,
	state TEXT NOT NULL CHECK (state IN ('accepted', 'started', 'stopped')),
	accepted_at BIGINT NOT NULL,
	started_at BIGINT NOT NULL,
	updated_at BIGINT NOT NULL,
	stopped_at BIGINT NOT NULL,
	input_octets BIGINT NOT NULL,
	output_octets BIGINT NOT NULL,
	cause TEXT NOT NULL,
	UNIQUE (nas, session_id)
);
-- no index holds updated_at: every accounting record changes it
CREATE INDEX sessions_device ON sessions (device, id);
-- few per pump: an accept, a revocation and a list must not read past all that it ever had
CREATE INDEX sessions_live ON sessions (device, id) WHERE state <> 'stopped';
CREATE INDEX sessions_stopped ON sessions (stopped_at) WHERE state = 'stopped';

-- When a pump last showed a certificate and was let on.
CREATE TABLE seen (
	device TEXT NOT NULL,
	cert_serial TEXT NOT NULL,
	at BIGINT NOT NULL,
	nas TEXT NOT NULL,
	PRIMARY KEY (device, cert_serial)
);

CREATE TABLE nas_seen (
	nas TEXT NOT NULL PRIMARY KEY,
	at BIGINT NOT NULL
);
