-- SPDX-License-Identifier: BSD-2-Clause
-- People who log in at pumps, and what became of it. Times are milliseconds since 1970 UTC; 0 is
-- "never". A secret is here only as a PHC string (argon2id over a keyed hash); "" is none.

CREATE TABLE users (
	id INTEGER PRIMARY KEY,
	name TEXT NOT NULL UNIQUE,
	display TEXT NOT NULL,
	source TEXT NOT NULL CHECK (source IN ('local', 'directory')),
	state TEXT NOT NULL CHECK (state IN ('enabled', 'disabled')),
	state_by TEXT NOT NULL,
	state_reason TEXT NOT NULL,
	hash TEXT NOT NULL,
	expires_at BIGINT NOT NULL,
	added_at BIGINT NOT NULL,
	last_login_at BIGINT NOT NULL,
	last_device TEXT NOT NULL
);

CREATE TABLE badges (
	id INTEGER PRIMARY KEY,
	number TEXT NOT NULL UNIQUE,
	user_id BIGINT NOT NULL REFERENCES users (id),
	pin_hash TEXT NOT NULL,
	added_at BIGINT NOT NULL
);
CREATE INDEX badges_user ON badges (user_id, id);

-- What a role is given at a pump.
CREATE TABLE roles (
	id INTEGER PRIMARY KEY,
	name TEXT NOT NULL UNIQUE,
	session_s INTEGER NOT NULL,
	idle_s INTEGER NOT NULL,
	offline INTEGER NOT NULL CHECK (offline IN (0, 1)),
	offline_s INTEGER NOT NULL,
	offline_failures INTEGER NOT NULL,
	offline_people INTEGER NOT NULL
);
INSERT INTO roles (name, session_s, idle_s, offline, offline_s, offline_failures, offline_people)
VALUES ('nurse', 43200, 300, 1, 259200, 5, 50),
	('physician', 43200, 300, 1, 259200, 5, 50),
	('pharmacist', 14400, 300, 0, 0, 0, 0),
	('biomed', 14400, 300, 0, 0, 0, 0);

-- ward and model "": any.
CREATE TABLE user_roles (
	id INTEGER PRIMARY KEY,
	user_id BIGINT NOT NULL REFERENCES users (id),
	role_id BIGINT NOT NULL REFERENCES roles (id),
	ward TEXT NOT NULL,
	model TEXT NOT NULL,
	UNIQUE (user_id, ward, model)
);

-- What pumps must forget; the newest of each user is enough.
CREATE TABLE tombstones (
	seq INTEGER PRIMARY KEY,
	user_id BIGINT NOT NULL UNIQUE REFERENCES users (id),
	at BIGINT NOT NULL
);

CREATE TABLE policy (
	one INTEGER NOT NULL PRIMARY KEY CHECK (one = 1),
	epoch BIGINT NOT NULL,
	tombstone BIGINT NOT NULL
);
INSERT INTO policy (one, epoch, tombstone) VALUES (1, 1, 0);

CREATE TABLE logins (
	id INTEGER PRIMARY KEY,
	login_id TEXT NOT NULL UNIQUE,
	user_id BIGINT NOT NULL REFERENCES users (id),
	device TEXT NOT NULL,
	ward TEXT NOT NULL,
	role TEXT NOT NULL,
	method TEXT NOT NULL,
	started_at BIGINT NOT NULL,
	until_at BIGINT NOT NULL,
	ended_at BIGINT NOT NULL
);
CREATE INDEX logins_user ON logins (user_id, id);
CREATE INDEX logins_until ON logins (until_at);

-- What a pump has told of itself: the highest generation of its verifiers, and per journal the last
-- number that is stored.
CREATE TABLE pumps (
	id INTEGER PRIMARY KEY,
	device TEXT NOT NULL UNIQUE,
	generation BIGINT NOT NULL,
	seen_at BIGINT NOT NULL
);
CREATE TABLE journals (
	id INTEGER PRIMARY KEY,
	device TEXT NOT NULL,
	journal BLOB NOT NULL,
	stored BIGINT NOT NULL,
	UNIQUE (device, journal)
);

-- As in the registry: one implementation (sql/store/audit.c) keeps both chains.
CREATE TABLE audit (
	seq INTEGER PRIMARY KEY,
	at BIGINT NOT NULL,
	actor TEXT NOT NULL,
	action TEXT NOT NULL,
	object TEXT NOT NULL,
	detail TEXT NOT NULL,
	hash BLOB NOT NULL
);
CREATE INDEX audit_object ON audit (object, seq);
CREATE TABLE audit_head (
	one INTEGER NOT NULL PRIMARY KEY CHECK (one = 1),
	seq BIGINT NOT NULL,
	hash BLOB NOT NULL
);
