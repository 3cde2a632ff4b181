package export

import (
	"errors"
	"fmt"
	"strings"

	"lxd-allowlist/export/rule"
)

var pihole = Format{
	Name:      "pihole",
	Title:     "Pi-hole 6, a script that makes the group lxd-allowlist: all other names are denied to it",
	Extension: "sh",
	Exact:     "an exact domain of the allow-list",
	Suffix:    `the regular expression (^|\.)h$ of the allow-list`,
	Pattern:   `the regular expression ^h$ of the allow-list, with [0-9]{1,2} for <0-99>, and an alternation for <region>`,
	NoAddress: "it answers DNS queries, and nobody asks for an address by DNS",
	Load:      "sudo sh FILE, on the Pi-hole, once more whenever the list has changed; then give this group to the clients, and take the others away from them: in those, Default is one, other names may be allowed",
	Proven:    "not asked; what it does to the database was tried in SQLite with the tables that Pi-hole 6 documents",
	limit:     twoLabels,
	mark:      "#",
	encode:    encodePihole,
	decode:    decodePihole,
}

// piholeBegin and piholeEnd make the group equal to the list in one
// transaction, and leave alone what else there is: what has our comment and is
// in no group any more goes, an entry of somebody's own is only added to the
// group. Pi-hole's own commands have the exit code 0 when they fail, and put
// every entry into the group Default. An entry that somebody disabled would
// stay so, and if it is the one that denies all, all names would pass.
const (
	piholeBegin = `set -e
pihole-FTL sqlite3 /etc/pihole/gravity.db <<'END'
.bail on
BEGIN IMMEDIATE;
INSERT OR IGNORE INTO "group" (name, description) VALUES ('lxd-allowlist', 'these names and no others');
CREATE TEMP TABLE wanted (type INTEGER, domain TEXT, PRIMARY KEY (type, domain));
INSERT INTO wanted VALUES
`
	piholeDeny = `(3, '.*');
`
	piholeEnd = `CREATE TEMP TABLE disabled (entries INTEGER CONSTRAINT enable_what_was_disabled_first CHECK (entries = 0));
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
`
)

func encodePihole(f Format, c rule.Compiled, _ Options) ([]byte, error) {
	p := page{mark: f.mark}
	p.line("#!/bin/sh")
	p.head(f, c)
	p.remarks(c.Rules())
	p.WriteString(piholeBegin)
	for _, r := range c.Rules() {
		if series, is := r.Pattern(); is {
			p.line("(2, '^%s$'),", series.Extended())
		} else if r.Suffix {
			p.put(`(2, '(^|\.)`, quotedMeta(r.Name), `$'),`)
		} else {
			p.put("(0, '", r.Name, "'),")
		}
	}
	p.WriteString(piholeDeny + piholeEnd)
	return p.Bytes(), nil
}

func decodePihole(data []byte) ([]rule.Rule, error) {
	var text strings.Builder
	text.Grow(len(data))
	for line := range content(data, "#") {
		text.WriteString(line)
		text.WriteByte('\n')
	}
	list, whole := between(text.String(), piholeBegin, piholeDeny+piholeEnd)
	if !whole {
		return nil, errors.New("it doesn't make the group, or doesn't deny all other names")
	}
	rules := make([]rule.Rule, 0, lineCount(data))
	for line := range strings.Lines(list) {
		if text, is := between(line, "(2, '^", "$'),\n"); is {
			r, err := extendedRule(text)
			if err != nil {
				return nil, err
			}
			rules = append(rules, r)
			continue
		}
		name, exact := between(line, "(0, '", "'),\n")
		if !exact {
			quoted, suffix := between(line, `(2, '(^|\.)`, "$'),\n")
			var bare bool
			if name, bare = unquotedMeta(quoted); !suffix || !bare {
				return nil, fmt.Errorf("a line that says something else: %q", line)
			}
		}
		rules = append(rules, rule.Rule{Name: name, Suffix: !exact})
	}
	return rules, nil
}
