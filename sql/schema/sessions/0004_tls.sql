-- SPDX-License-Identifier: BSD-2-Clause
-- What was negotiated (docs/decisions/0215). tls: 13 is TLS 1.3, 0 not known. low: let into the
-- quarantine zone only, for being below its model's floor.
ALTER TABLE events ADD COLUMN tls INTEGER NOT NULL DEFAULT 0;
ALTER TABLE events ADD COLUMN tls_cipher TEXT NOT NULL DEFAULT '';
ALTER TABLE seen ADD COLUMN tls INTEGER NOT NULL DEFAULT 0;
ALTER TABLE seen ADD COLUMN tls_cipher TEXT NOT NULL DEFAULT '';
ALTER TABLE seen ADD COLUMN tls_at BIGINT NOT NULL DEFAULT 0;
ALTER TABLE seen ADD COLUMN low INTEGER NOT NULL DEFAULT 0;
