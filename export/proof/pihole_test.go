package proof

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"lxd-allowlist/export/rule"
)

// piholeTables are those that the script writes to, as Pi-hole documents them
// (docs.pi-hole.net/database/domain-database), with the trigger that puts each
// new entry into the group Default.
const piholeTables = `
CREATE TABLE "group" (id INTEGER PRIMARY KEY AUTOINCREMENT, enabled BOOLEAN NOT NULL DEFAULT 1, name TEXT UNIQUE NOT NULL, description TEXT);
INSERT INTO "group" (id, name) VALUES (0, 'Default');
CREATE TABLE domainlist (id INTEGER PRIMARY KEY AUTOINCREMENT, type INTEGER NOT NULL, domain TEXT NOT NULL, enabled BOOLEAN NOT NULL DEFAULT 1, comment TEXT, UNIQUE (domain, type));
CREATE TABLE domainlist_by_group (domainlist_id INTEGER NOT NULL, group_id INTEGER NOT NULL, PRIMARY KEY (domainlist_id, group_id));
CREATE TRIGGER tr_domainlist_add AFTER INSERT ON domainlist BEGIN INSERT INTO domainlist_by_group VALUES (NEW.id, 0); END;
CREATE TRIGGER tr_domainlist_delete AFTER DELETE ON domainlist BEGIN DELETE FROM domainlist_by_group WHERE domainlist_id = OLD.id; END;
`

// piholeHost is a directory with a database and with what the script calls.
type piholeHost struct {
	t         *testing.T
	dir, base string
}

func newPihole(t *testing.T) piholeHost {
	t.Helper()
	sqlite := find("sqlite3")
	if sqlite == "" {
		t.Fatalf("no sqlite3: %s", packages["sqlite3"])
	}
	h := piholeHost{t, t.TempDir(), filepath.Join(t.TempDir(), "gravity.db")}
	for name, script := range map[string]string{
		"pihole-FTL": "#!/bin/sh\nshift 2\nexec " + sqlite + " " + h.base + "\n",
		"pihole":     "#!/bin/sh\necho \"$@\"\n",
	} {
		if err := os.WriteFile(filepath.Join(h.dir, name), []byte(script), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	h.sql(piholeTables)
	return h
}

// sql returns the answer, a row a line.
func (h piholeHost) sql(text string) string {
	h.t.Helper()
	out, err := exec.Command(find("sqlite3"), h.base, text).CombinedOutput()
	if err != nil {
		h.t.Fatalf("%s: %v\n%s", text, err, out)
	}
	return strings.TrimSpace(string(out))
}

// load runs the script of a list.
func (h piholeHost) load(path string) (string, error) {
	cmd := exec.Command("sh", path)
	cmd.Env = append(os.Environ(), "PATH="+h.dir+":"+os.Getenv("PATH"))
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// group returns the entries of a group, sorted, with a space between them.
func (h piholeHost) group(name string) string {
	h.t.Helper()
	return strings.ReplaceAll(h.sql(`SELECT type || ':' || domain FROM domainlist JOIN domainlist_by_group ON domainlist_id = domainlist.id
		JOIN "group" ON group_id = "group".id WHERE name = '`+name+`' ORDER BY type, domain`), "\n", " ")
}

// The group is what the list says, however often it is loaded and whatever it
// was before; what somebody else entered stays as it is.
func TestPihole(t *testing.T) {
	f, h := format(t, "pihole"), newPihole(t)
	h.sql(`INSERT INTO domainlist (type, domain, comment) VALUES (0, 'own.example.com', 'mine'), (0, 'www.example.com', 'mine'), (1, 'bad.example.com', NULL)`)
	const others = "0:own.example.com 0:www.example.com 1:bad.example.com"
	for _, c := range []struct{ list, want string }{
		{"www.example.com a.example.com .example.net", `0:a.example.com 0:www.example.com 2:(^|\.)example\.net$ 3:.*`},
		{"www.example.com a.example.com .example.net", `0:a.example.com 0:www.example.com 2:(^|\.)example\.net$ 3:.*`},
		{"b.example.com", `0:b.example.com 3:.*`},
		{"", `3:.*`},
	} {
		var list []rule.Rule
		for _, word := range strings.Fields(c.list) {
			list = append(list, rule.FromDotted(word))
		}
		if out, err := h.load(file(t, f, list)); err != nil || out != "reloadlists\n" {
			t.Fatalf("%s: %v\n%s", c.list, err, out)
		}
		if got := h.group("lxd-allowlist"); got != c.want {
			t.Errorf("%s: the group has %s, want %s", c.list, got, c.want)
		}
		if got := h.group("Default"); got != others {
			t.Errorf("%s: Default has %s, want %s", c.list, got, others)
		}
		if got := h.sql("SELECT count(*) FROM domainlist"); got != h.sql("SELECT count(DISTINCT domainlist_id) FROM domainlist_by_group") {
			t.Errorf("%s: %s entries, some in no group", c.list, got)
		}
	}
	h.sql(`UPDATE domainlist SET enabled = 0 WHERE domain = '.*'`)
	if out, err := h.load(file(t, f, []rule.Rule{{Name: "c.example.com"}})); err == nil || !strings.Contains(out, "enable_what_was_disabled_first") || strings.Contains(out, "reloadlists") {
		t.Errorf("what denies all is disabled: %v\n%s", err, out)
	}
	if got := h.group("lxd-allowlist"); got != "3:.*" {
		t.Errorf("and yet the group has %s", got)
	}
	h.sql(`UPDATE domainlist SET enabled = 1`)
	if out, err := h.load(fileOf(t, f, manyRules())); err != nil {
		t.Errorf("many: %v\n%s", err, out)
	}
	if got := h.sql(`SELECT count(*) FROM domainlist_by_group JOIN "group" ON group_id = id WHERE name = 'lxd-allowlist'`); got != "100001" {
		t.Errorf("many: the group has %s entries", got)
	}
}
