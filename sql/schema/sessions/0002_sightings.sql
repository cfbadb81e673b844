-- SPDX-License-Identifier: BSD-2-Clause
-- From which MAC address a certificate was last let on, on which NAS, and in which session there.
ALTER TABLE seen ADD COLUMN mac TEXT NOT NULL DEFAULT '';
ALTER TABLE seen ADD COLUMN mac_nas TEXT NOT NULL DEFAULT '';
ALTER TABLE seen ADD COLUMN mac_session TEXT NOT NULL DEFAULT '';
