#!/bin/sh
# Allow-list: Pi-hole 6, a script that makes the group lxd-allowlist: all other names are denied to it
# 10 rules: 7 exact, 3 suffix
# made by lxd-allowlist 1.0
# session 20260301-090000-web1
# instance web1
# network lxdbr0
# exact: an exact domain of the allow-list
# suffix: the regular expression (^|\.)h$ of the allow-list
# pattern: the regular expression ^h$ of the allow-list, with [0-9]{1,2} for <0-99>, and an alternation for <region>
# load: sudo sh FILE, on the Pi-hole, once more whenever the list has changed; then give this group to the clients, and take the others away from them: in those, Default is one, other names may be allowed
# proven: not asked; what it does to the database was tried in SQLite with the tables that Pi-hole 6 documents
# www.example.com: the shop's front | see <ticket 7>
# .example.net: =updates of the  vendor/
# example.org: seen: 443/tcp 443/udp
# .github.io: warning: anyone can have a name below github.io, and this rule allows it
# xn--bcher-kva.example: seen: 123/udp
set -e
pihole-FTL sqlite3 /etc/pihole/gravity.db <<'END'
.bail on
BEGIN IMMEDIATE;
INSERT OR IGNORE INTO "group" (name, description) VALUES ('lxd-allowlist', 'these names and no others');
CREATE TEMP TABLE wanted (type INTEGER, domain TEXT, PRIMARY KEY (type, domain));
INSERT INTO wanted VALUES
(0, '-dash.example.com'),
(0, '_dmarc.example.com'),
(0, 'www.example.com'),
(2, '(^|\.)example\.net$'),
(0, 'example.org'),
(2, '(^|\.)b\.example\.org$'),
(0, 'a.www.example.org'),
(2, '(^|\.)github\.io$'),
(0, 'llllllllllllllllllllllllllllllllllllllllllllllllllllllllll.llllllllllllllllllllllllllllllllllllllllllllllllllllllllll.llllllllllllllllllllllllllllllllllllllllllllllllllllllllll.examples'),
(0, 'xn--bcher-kva.example'),
(3, '.*');
CREATE TEMP TABLE disabled (entries INTEGER CONSTRAINT enable_what_was_disabled_first CHECK (entries = 0));
INSERT INTO disabled SELECT count(*) FROM domainlist JOIN wanted USING (type, domain) WHERE NOT enabled;
DELETE FROM domainlist_by_group WHERE group_id = (SELECT id FROM "group" WHERE name = 'lxd-allowlist');
INSERT OR IGNORE INTO domainlist (type, domain, comment) SELECT type, domain, 'lxd-allowlist' FROM wanted;
DELETE FROM domainlist_by_group WHERE group_id = 0 AND domainlist_id IN (SELECT id FROM domainlist WHERE comment = 'lxd-allowlist');
INSERT INTO domainlist_by_group (domainlist_id, group_id) SELECT domainlist.id, "group".id FROM domainlist JOIN wanted USING (type, domain), "group" WHERE name = 'lxd-allowlist';
DELETE FROM domainlist WHERE comment = 'lxd-allowlist' AND id NOT IN (SELECT domainlist_id FROM domainlist_by_group);
UPDATE "group" SET enabled = 1 WHERE name = 'lxd-allowlist';
COMMIT;
END
pihole reloadlists
