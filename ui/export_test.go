package ui

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	tea "charm.land/bubbletea/v2"

	"lxd-allowlist/capture"
	"lxd-allowlist/export"
	"lxd-allowlist/ui/dialog"
)

// made returns a file as the dialog gets it.
func (s *scene) made(f export.Format) dialog.Made {
	return s.m().makeFile(dialog.Make{Format: f})().(madeMsg).file
}

// The preview is the real output, and what is written is what was shown.
func TestExportWritesThePreview(t *testing.T) {
	s := newScene(t, 100, 40).session()
	path := filepath.Join(t.TempDir(), "out.txt")
	s.m().export.path = path
	s.press("e")
	if !strings.Contains(s.text(), "4 rules from") {
		t.Fatalf("the preview is\n%s", s.text())
	}
	shown := s.text()
	s.press("enter")
	got, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(got)) {
		if !strings.Contains(shown, "│ "+strings.TrimSpace(line)) {
			t.Errorf("the file has %q, which was not shown in\n%s", line, shown)
		}
	}
	if s.m().dialog != nil || s.result.Wrote != path {
		t.Errorf("after writing, the dialog is %v and %q was written", s.m().dialog, s.result.Wrote)
	}
}

func TestEveryFormatHasAPreview(t *testing.T) {
	for _, f := range export.Formats() {
		s := newScene(t, 120, 40).session()
		s.m().export.format = f.Name
		s.press("e")
		if made := s.made(f); made.Err != nil || len(made.Lines) == 0 || !strings.Contains(s.text(), "│ "+fmt.Sprintf("%.80s", made.Lines[0])) {
			t.Errorf("%s: %v, %v, shown as\n%s", f.Name, made.Lines, made.Err, s.text())
		}
	}
}

// A file from the screen is the one that the command line makes, with its
// ports and the host's name.
func TestExportSaysWhatTheCommandLineDoes(t *testing.T) {
	host, err := os.Hostname()
	if err != nil {
		t.Fatal(err)
	}
	for name, says := range map[string]string{"json": host, "harden-runner": ":8443"} {
		s := newScene(t, 120, 40).session()
		s.m().export = exportSettings{format: name, options: export.Options{Ports: []int{8443}}}
		s.press("e")
		f, err := export.Lookup(name)
		if err != nil {
			t.Fatal(err)
		}
		want, err := export.Make(s.m().capture.Ledger.List(false), f, s.m().export.options)
		if err != nil {
			t.Fatal(err)
		}
		if got := string(s.made(f).File.Data); got != string(want.Data) || !strings.Contains(got, says) {
			t.Errorf("%s on the screen:\n%s\nwant %s in it, as the command line has it:\n%s", name, got, says, want.Data)
		}
	}
}

// The file follows the ledger while it is shown, at rest between one and the
// next; a file of a format that was left meanwhile is not shown.
func TestPreviewIsNotStale(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newScene(t, 120, 40).session()
		m := s.m()
		defer m.shell.hangUp()
		s.press("e")
		feed(m.capture.Ledger, noon, "query[A] late.example from 10.0.0.5")
		begin := time.Now()
		_, cmd := s.Update(ledgerMsg{})
		msgs := make(chan tea.Msg, 8)
		for _, each := range cmd().(tea.BatchMsg) {
			go func() { msgs <- each() }()
		}
		for msg := range msgs {
			if made, ok := msg.(madeMsg); ok {
				s.send(made)
				break
			}
		}
		if rest := time.Since(begin); rest < time.Second {
			t.Errorf("the file was made anew after %v", rest)
		}
		if text := s.text(); !strings.Contains(text, "5 rules from") || !strings.Contains(text, "│ late.example") {
			t.Errorf("the file is not what the ledger has:\n%s", text)
		}
	})
	s := newScene(t, 120, 40).session()
	_, of := s.Update(press("e"))
	plain := of()
	_, of = s.Update(press("down"))
	s.send(of())
	shown := s.text()
	s.send(plain)
	if text := s.text(); text != shown || strings.Contains(text, "▌plain") {
		t.Errorf("after the next format's file that of the last one is shown:\n%s", text)
	}
	s.press("esc")
	_, of = s.Update(press("e")) // the first file of its dialog, as is that of the next
	s.press("esc")
	s.m().export.format = "json"
	s.press("e")
	shown = s.text()
	s.send(of())
	if text := s.text(); text != shown {
		t.Errorf("a file for a dialog that was closed is shown:\n%s", text)
	}
}

// What comes between the look and the key is written, and said.
func TestWhatIsWrittenIsNew(t *testing.T) {
	s := newScene(t, 200, 60).session()
	path := filepath.Join(t.TempDir(), "out.txt")
	s.m().export.path = path
	s.press("e")
	feed(s.m().capture.Ledger, noon, "query[A] late.example from 10.0.0.5")
	s.press("enter")
	got, err := os.ReadFile(path)
	if err != nil || !strings.Contains(string(got), "late.example\n") {
		t.Errorf("the file has %q, %v", got, err)
	}
	if text := s.text(); !strings.Contains(text, "wrote 5 rules to "+path+", with 1 rule that came or went since it was shown") {
		t.Errorf("nothing is said of the new one:\n%s", text)
	}
}

// Without a name there is nothing to write: quitting leaves no file, and one
// that is there stays as it is.
func TestEmptyListWritesNothing(t *testing.T) {
	for _, key := range []string{"e", "q"} {
		s := newScene(t, 100, 40)
		s.waitingForQueries()
		path := filepath.Join(t.TempDir(), "out.txt")
		if err := os.WriteFile(path, []byte("a.example\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		s.m().export.path = path
		s.press(key, "enter")
		if data, err := os.ReadFile(path); err != nil || string(data) != "a.example\n" || s.result.Wrote != "" {
			t.Errorf("%s: the file has %q, %v, and %q was written", key, data, err, s.result.Wrote)
		}
		if said := strings.Contains(s.text(), "nothing was written"); said != (key == "e") { // the other one quits
			t.Errorf("%s: it is said %v:\n%s", key, said, s.text())
		}
	}
}

// The header says what may be missing, in the words of the export.
func TestHeaderSaysDoubts(t *testing.T) {
	const tag = "dnsmasq[1]: "
	for line, says := range map[string]string{
		tag + "overflow: 12 log entries lost":                                                                             "12 lost: 12 by dnsmasq's queue",
		tag + "nameserver 192.0.2.1 refused to do a recursive query":                                                      "1 lost: 1 refused",
		tag + "query[A] <name unprintable> from 10.0.0.5":                                                                 "1 lost: 1 with a name that dnsmasq doesn't print",
		tag + "forwarded unasked.example to 192.0.2.1":                                                                    "1 lost: 1 forwarded that nobody asked for",
		tag + "query[A] broken from":                                                                                      "1 lost: 1 not understood",
		"Nov 24 12:00:00 host systemd-journald[1]: Suppressed 7 messages from dnsmasq.service":                            "7 lost: 7 by the journal or syslog",
		"Nov 24 12:00:00 host rsyslogd: imuxsock lost 5 messages from pid 1 due to rate-limiting":                         "5 lost: 5 by the journal or syslog",
		tag + "log failed: No space left on device":                                                                       "1 lost: 1 by a log that could not be written",
		tag + "query[A] " + strings.Repeat("long.", 260) + "example from 10.0.0.5":                                        "1 lost: 1 cut",
		tag + "3 10.0.0.5/53 query[A] a.example from 10.0.0.5\n" + tag + "7 10.0.0.5/53 query[A] a.example from 10.0.0.5": "3 lost: 3 missing in the serials",
	} {
		for _, w := range []int{60, 80, 100, 120} {
			s := newScene(t, w, 24)
			l := capture.NewLedger(capture.Info{})
			feed(l, noon, tag+"query[A] a.example from 10.0.0.5", line)
			s.shows(&Capture{Ledger: l, Title: "a-rather-long-title-of-a-log.log", Live: true})
			if header, _, _ := strings.Cut(s.text(), "\n"); !strings.Contains(header, says) && !strings.Contains(header, "! 1 doubt") || !strings.Contains(header, "  1 new") && !strings.Contains(header, "  1· ") {
				t.Errorf("%s, %d wide: the header is %q", line, w, header)
			}
		}
		s := newScene(t, 200, 60)
		l := capture.NewLedger(capture.Info{})
		feed(l, noon, tag+"query[A] a.example from 10.0.0.5", line)
		s.shows(&Capture{Ledger: l, Title: "dns.log"})
		if header, _, _ := strings.Cut(s.text(), "\n"); !strings.Contains(header, says) {
			t.Errorf("%s: the header is %q, want %q in it", line, header, says)
		}
	}
}

// What writing changes is a tab of its own, what goes first; what stands there
// and can't be read is said in full, and no merge is offered.
func TestDifference(t *testing.T) {
	s := newScene(t, 120, 40).export("gone.example\narchive.ubuntu.com\nalso.gone.example\n")
	s.wants("Difference +3 −2")
	s.press("tab")
	text := s.text()
	if gone, came := strings.Index(text, "- gone.example"), strings.Index(text, "+ telemetry.example.org"); gone < 0 || came < gone {
		t.Errorf("what goes doesn't stand first:\n%s", text)
	}
	s.press("f").types(".new").press("enter")
	s.wants("Difference a new file", "no file is there yet")
	s.press("esc")

	why := strings.Repeat("a very long line of somebody's own, ", 20)
	s.m().export.format, s.m().export.path = "json", "json.json"
	if err := os.WriteFile("json.json", []byte(why), 0o600); err != nil {
		t.Fatal(err)
	}
	s.press("e")
	s.wants("Difference unreadable")
	s.press("tab")
	s.wants("what stands there can't be read as json", "It can't be merged; overwriting replaces all of it.")
	s.press("enter")
	if foot := s.foot(); !strings.Contains(foot, "y overwrite") || strings.Contains(foot, "merge") {
		t.Errorf("the footer is %q", foot)
	}
	s.press("m")
	s.wants("what stands there can't be read as json")
	if data, _ := os.ReadFile("json.json"); string(data) != why {
		t.Errorf("m leaves %q", data)
	}
	s.press("y")
	if data, _ := os.ReadFile("json.json"); !strings.Contains(string(data), "telemetry.example.org") {
		t.Errorf("y leaves %q", data)
	}
}

// A file that nobody may read is no new one.
func TestDifferenceOfWhatMayNotBeRead(t *testing.T) {
	d := difference(export.Present{Path: "x"}, export.File{}, errors.New("permission denied"))
	if !d.Exists || d.Unreadable == nil {
		t.Errorf("it is %+v", d)
	}
}

// A format is found by letters of its name or title, and the preview follows.
func TestFormatIsFound(t *testing.T) {
	s := newScene(t, 120, 40).session().press("e", "/").types("unbnd")
	s.wants("▌unbound", "local-zone")
	s.types("zzz")
	s.wants("no such format")
	s.press("esc")
	s.wants("▌unbound", "coredns")
	s.press("down")
	s.wants("▌knot")
}

// The export begins with what the command line says, else with what the session
// was written as, else with what the config does.
func TestExportBeginsWhereItEnded(t *testing.T) {
	for _, test := range []struct {
		name, format, path string // on the command line
		written            bool
		config             Settings
		want, to           string
	}{
		{"nothing", "", "", false, Settings{}, "plain", "dnstest-allowlist.txt"},
		{"the config's format", "", "", false, Settings{Format: "squid"}, "squid", "dnstest-allowlist.domains"},
		{"its directory", "", "", false, Settings{Output: "/srv/lists/"}, "plain", "/srv/lists/dnstest-allowlist.txt"},
		{"its file", "", "", false, Settings{Output: "/srv/list"}, "plain", "/srv/list"},
		{"the session", "", "", true, Settings{Format: "squid", Output: "/srv/lists/"}, "unbound", "/srv/was.conf"},
		{"the command line", "json", "", true, Settings{Format: "squid"}, "json", "dnstest-allowlist.json"},
		{"its path", "json", "x.json", true, Settings{Output: "/srv/lists/"}, "json", "x.json"},
		{"its directory", "json", "lists/", true, Settings{Output: "/srv/all.txt"}, "json", "lists/dnstest-allowlist.json"},
	} {
		s := newSceneWith(t, 120, 40, test.config)
		s.opts.Format, s.opts.Output = test.format, test.path
		l := capture.NewLedger(capture.Info{Instance: "dnstest"})
		if test.written {
			l.Exported(capture.Written{Format: "unbound", Path: "/srv/was.conf", At: noon})
		}
		s.opts.Settings = test.config
		s.shows(&Capture{Ledger: l, Title: "dns.log"}).press("e")
		if text := s.text(); !strings.Contains(text, "▌"+test.want) || !strings.Contains(text, "file    "+test.to+" ") {
			t.Errorf("%s: want %s to %s in\n%s", test.name, test.want, test.to, text)
		}
	}
	home, err := os.UserHomeDir()
	if dir, _ := (Settings{Output: "~/lists/"}).output(); err != nil || dir != home+"/lists/" {
		t.Errorf("~/lists/ is %s, %v", dir, err)
	}
}

// A list of formats that is longer than the box says how many are below, also of
// the chosen one, and a click there chooses none.
func TestFormatsBelow(t *testing.T) {
	s := newScene(t, 80, 24).session().press("e")
	all := len(export.Formats())
	s.wants("│  privoxy ", fmt.Sprintf("│  ↓ %d more", all-19))
	s.clicksOn("more")
	s.wants("▌plain")
	for range all - 1 {
		s.press("down")
	}
	s.wants("▌" + export.Formats()[all-1].Name)
	if strings.Contains(s.text(), "│  ↓ ") {
		t.Errorf("something is below the last:\n%s", s.text())
	}
}

// An export of a session that is only looked at isn't noted there, and says so.
func TestExportOfWhatIsOnlyLookedAt(t *testing.T) {
	for readOnly, says := range map[string]bool{"it is only looked at": true, "": false} {
		s := newScene(t, 200, 60).session()
		l := capture.NewLedger(capture.Info{Session: "20261124-120000-dnstest"})
		feed(l, noon, "query[A] a.example from 10.0.0.5")
		s.shows(&Capture{Ledger: l, Title: "20261124-120000-dnstest", ReadOnly: readOnly})
		s.press("e", "enter").wants("wrote 1 rule to ")
		if got := strings.Contains(s.text(), "the session is only looked at, and doesn't note it"); got != says {
			t.Errorf("read only is %q, and that is said: %v\n%s", readOnly, got, s.text())
		}
	}
}
