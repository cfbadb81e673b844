-- SPDX-License-Identifier: BSD-2-Clause
-- Pump makers whose birth certificates (IEEE 802.1AR IDevID) may stand for an enrolment token.
CREATE TABLE makers (
	id INTEGER PRIMARY KEY,
	name TEXT NOT NULL UNIQUE, -- as in devices.maker
	enabled INTEGER NOT NULL CHECK (enabled IN (0, 1)),
	models TEXT NOT NULL, -- "MODEL,MODEL=OID": what it may vouch for, with hwType (RFC 4108)
	added_at BIGINT NOT NULL,
	added_by TEXT NOT NULL
);
-- One anchor belongs to one maker: the chain's end says who vouches.
CREATE TABLE maker_anchors (
	id INTEGER PRIMARY KEY,
	maker_id BIGINT NOT NULL REFERENCES makers (id),
	sha256 BLOB NOT NULL UNIQUE,
	der BLOB NOT NULL
);
CREATE INDEX maker_anchors_maker ON maker_anchors (maker_id);

-- SHA-256 of the birth certificate that this one was asked for with; NULL: another way.
ALTER TABLE certificates ADD COLUMN idevid BLOB;
CREATE INDEX certificates_idevid ON certificates (idevid);
