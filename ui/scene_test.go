package ui

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"time"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/x/ansi"

	"lxd-allowlist/capture"
	"lxd-allowlist/capture/verify"
	"lxd-allowlist/export/rule"
)

// All scenes have a shell below, whoever runs them.
func init() { belowShell = func() bool { return true } }

var noon = time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)

func feed(l *capture.Ledger, at time.Time, lines ...string) {
	l.Feed([]byte(strings.Join(lines, "\n")+"\n"), at, false)
}

// scene is a model in some state, without a program around it.
type scene struct {
	t testing.TB
	*model
	// rebound has what is pressed by its default key pressed by another one.
	rebound func(string) string
	target  *target // of session
}

// m is the monitor that the scene shows.
func (s *scene) m() *monitor { return s.phase.(*monitor) }

func newScene(t testing.TB, w, h int) *scene {
	t.Helper()
	return newSceneWith(t, w, h, Settings{})
}

func newSceneWith(t testing.TB, w, h int, c Settings) *scene {
	t.Helper()
	t.Setenv("XDG_STATE_HOME", t.TempDir())
	t.Setenv("XDG_CONFIG_HOME", t.TempDir())
	t.Chdir(t.TempDir()) // where a file goes that was given no other place
	m, err := newModel(context.Background(), Options{Settings: c})
	if err != nil {
		t.Fatal(err)
	}
	s := &scene{t: t, model: m, rebound: func(key string) string { return key }}
	s.now = noon.Add(time.Minute)
	s.Update(tea.WindowSizeMsg{Width: w, Height: h})
	return s
}

// asksFor has n domains more asked for and shown.
func (s *scene) asksFor(n int) {
	var lines []string
	for i := range n {
		lines = append(lines, fmt.Sprintf("query[A] d%d.example from 10.0.0.5", i))
	}
	feed(s.m().capture.Ledger, noon, lines...)
	for s.m().table.Tally().Total() < n {
		s.m().table.Refresh(s.now)
	}
}

// session shows a capture with a shell in which something was printed.
func (s *scene) session() *scene {
	l := capture.NewLedger(capture.Info{Instance: "dnstest", Network: "lxdbr0", Domain: "lxd"})
	feed(l, noon,
		"query[A] archive.ubuntu.com from 10.0.0.5", "reply archive.ubuntu.com is 192.0.2.1",
		"query[AAAA] archive.ubuntu.com from 10.0.0.5", "reply archive.ubuntu.com is 2001:db8::1",
		"query[HTTPS] www.example.com from 10.0.0.5", "reply www.example.com is <CNAME>", "reply edge.example.net is 192.0.2.2",
		"query[A] archive.ubuntu.com.lxd from 10.0.0.5", "config archive.ubuntu.com.lxd is NXDOMAIN",
		"query[PTR] 1.2.0.192.in-addr.arpa from 10.0.0.6",
	)
	feed(l, noon.Add(20*time.Second), "query[A] telemetry.example.org from 10.0.0.5", "reply error is SERVFAIL")
	feed(l, noon.Add(58*time.Second), "query[A] a-rather-long-name-for-a-host.with.several.labels.cdn.example.com from 10.0.0.5")
	l.SetOwners(map[string]string{"10.0.0.5": "dnstest", "10.0.0.6": "web"})
	open := func(context.Context, int, int) (Shell, error) { return nil, errors.New("no shell here") }
	s.target = &target{ledger: l}
	s.shows(&Capture{Ledger: l, Title: "dnstest on lxdbr0", Live: true, Shell: open, Enforce: s.target.enforce})
	m := s.m()
	s.t.Cleanup(m.shell.hangUp) // a screen has a goroutine, which holds it
	m.shell.screen.Write([]byte("ubuntu@dnstest:~$ \x1b[32mls\x1b[m\r\nREADME  snap\r\nubuntu@dnstest:~$ "))
	m.shell.screen.Text() // all of it is drawn now
	m.shell.starting, m.shell.ended = false, "the shell has ended"
	m.table.Tick(s.now)
	m.pace.tick(s.now, l, m.table.Tally().Total())
	return s.press("ctrl+]")
}

// target is an instance on which lists are enforced.
type target struct {
	ledger  *capture.Ledger
	policy  *verify.Policy
	packets verify.Packets
	level   verify.Level
	digest  string
	proofs  []verify.Proof
	wake    chan struct{}
	done    chan struct{}
	stopped error // what Stop returns
}

// enforce is [Capture.Enforce].
func (t *target) enforce(_ context.Context, level verify.Level) (*Enforcement, error) {
	list, _ := rule.Compile(t.ledger.List(false))
	t.policy, t.digest = verify.New(list.Rules(), func(string) bool { return false }), rule.Digest(list.Rules())
	t.policy.Learning = level == verify.Learn
	t.level, t.proofs, t.wake, t.done = level, nil, make(chan struct{}, 1), make(chan struct{})
	t.prove("")
	return &Enforcement{
		Policy: t.policy, Packets: &t.packets, Wake: t.wake, Done: t.done, Report: t.report,
		Prove: func(context.Context) bool { t.prove(""); return true },
		Stop:  func(context.Context) error { close(t.done); return t.stopped },
	}, nil
}

// prove has a try be proven, or not, for a reason.
func (t *target) prove(why string) {
	t.proofs = append(t.proofs, verify.Proof{At: noon.Add(61 * time.Second), Tried: "the name lxd-allowlist-abc.example.com", Proven: why == "", Why: why})
}

func (t *target) report() verify.Report {
	return verify.NewReport(verify.Over{
		Policy: t.policy, Packets: &t.packets, Instance: "dnstest", Network: "lxdbr0", Strict: t.level == verify.Strict, Learn: t.level == verify.Learn, Digest: t.digest, Proofs: t.proofs,
		Begun: noon.Add(time.Minute), Ended: noon.Add(5 * time.Minute), Notes: []string{"The instance's caches were flushed: systemd-resolved.", "Open connections were reset."},
	}, verify.About{Program: "lxd-allowlist 1.0", Screen: true, List: "session", Expected: func(name string) (reason string, dropped bool) {
		t.ledger.Read(func(r capture.Reader) { reason, dropped = r.Dropped(name) })
		return reason, dropped
	}})
}

// refuse has the instance ask for what isn't allowed.
func (t *target) refuse(at time.Time, queryType string, names ...string) {
	from := netip.AddrFrom4([4]byte{10, 0, 0, 5})
	for _, name := range names {
		learn := t.level == verify.Learn
		t.policy.Asked(verify.Query{At: at, Name: name, Type: queryType, From: from, Refused: !learn, WouldRefuse: learn})
		if learn { // dnsmasq's log tells of the query, before or after
			feed(t.ledger, at, fmt.Sprintf("query[%s] %s from 10.0.0.5", queryType, name))
			t.ledger.Reshow(name)
		} else {
			t.ledger.Denied(name, queryType, from, at)
		}
	}
}

// follow has the list in force follow what is decided, as a capture does.
func (t *target) follow() {
	list := t.ledger.List(false)
	rules := list.Rules[:0]
	for _, r := range list.Rules {
		if _, refused := t.policy.Name(r.Name); r.Source != capture.Observed || !refused {
			rules = append(rules, r)
		}
	}
	list.Rules = rules
	compiled, _ := rule.Compile(list)
	t.policy.Set(compiled.Rules(), noon.Add(2*time.Minute))
}

// enforcing shows a session whose list is in force, proven.
func (s *scene) enforcing(level verify.Level) *scene {
	s.session().press("V")
	for range level {
		s.press("down")
	}
	s.press("enter")
	return s.proves("")
}

// enforces has the list be in force on a target, which has refused
// thirty names.
func (s *scene) enforces(t *target) {
	e, _ := t.enforce(s.ctx, verify.Names)
	for i := range 30 {
		t.refuse(noon.Add(time.Duration(i)*time.Second), "A", fmt.Sprintf("refused%d.example", i))
	}
	s.m().enforcing.of, s.m().enforcing.stage = e, stageProven
	s.m().table.Enforce(t.policy)
	s.m().table.Refresh(s.now)
}

// proves has it be proven that the list is in force, or not, for a reason.
func (s *scene) proves(why string) *scene {
	if why != "" {
		s.target.prove(why)
		why = whyUnproven(s.target.report())
	}
	s.m().enforcing.stage = stageProving
	s.send(provenMsg{of: s.m().enforcing.of, proven: why == "", why: why})
	s.messages = nil
	return s
}

// refuses has the instance do what isn't allowed.
func (s *scene) refuses() *scene {
	t := s.target
	t.policy.Asked(verify.Query{At: noon.Add(62 * time.Second), Name: "archive.ubuntu.com", Type: "A"})
	t.refuse(noon.Add(63*time.Second), "A", "licence.example.net")
	t.refuse(noon.Add(63*time.Second), "AAAA", "licence.example.net")
	t.refuse(noon.Add(64*time.Second), "A", "licence.example.net", "updates.telemetry.example")
	if t.level == verify.Strict {
		to := netip.MustParseAddrPort("198.51.100.7:443")
		t.packets.Add(to, "tcp", noon.Add(63*time.Second))
		t.packets.Add(to, "tcp", noon.Add(65*time.Second))
		t.packets.Add(netip.MustParseAddrPort("8.8.8.8:853"), "tcp", noon.Add(61*time.Second))
	}
	s.Update(tickMsg(noon.Add(66 * time.Second)))
	s.m().table.Refresh(s.now)
	latest, places := t.packets.Latest(packetsShown)
	s.Update(enforcementMsg{s.m().enforcing.of, latest, places})
	return s
}

// shows shows a capture; what it waits for doesn't come.
func (s *scene) shows(c *Capture) *scene {
	s.enter(newMonitor(s.model, c))
	return s
}

// text is the screen without its styles.
func (s *scene) text() string { return ansi.Strip(strings.Join(s.lines(), "\n")) }

// send gives the model a message, and all that comes of it.
func (s *scene) send(msg tea.Msg) {
	_, next := s.Update(msg)
	s.do(next)
}

// press presses keys by their names.
func (s *scene) press(keys ...string) *scene {
	for _, k := range keys {
		if k != "" {
			s.send(press(s.rebound(k)))
		}
	}
	return s
}

// types types a text.
func (s *scene) types(text string) *scene {
	for _, r := range text {
		s.send(press(string(r)))
	}
	return s
}

// do runs a command that ends at once, and what comes of it.
func (s *scene) do(cmd tea.Cmd) {
	if cmd == nil {
		return
	}
	if msg := cmd(); msg != nil {
		s.send(msg)
	}
}

// press returns the key of a name: what [tea.KeyPressMsg.String] says of it.
func press(name string) tea.KeyPressMsg {
	special := map[string]rune{"enter": tea.KeyEnter, "esc": tea.KeyEscape, "tab": tea.KeyTab, "space": tea.KeySpace, "left": tea.KeyLeft, "right": tea.KeyRight,
		"up": tea.KeyUp, "down": tea.KeyDown, "pgup": tea.KeyPgUp, "pgdown": tea.KeyPgDown, "home": tea.KeyHome, "end": tea.KeyEnd, "backspace": tea.KeyBackspace,
		"f1": tea.KeyF1, "f12": tea.KeyF12}
	var mod tea.KeyMod
	for prefix, m := range map[string]tea.KeyMod{"alt+": tea.ModAlt, "ctrl+": tea.ModCtrl, "shift+": tea.ModShift} {
		if strings.Contains(name, prefix) {
			name, mod = strings.Replace(name, prefix, "", 1), mod|m
		}
	}
	if c, ok := special[name]; ok {
		return tea.KeyPressMsg{Code: c, Mod: mod}
	}
	if name == "" { // modifiers alone
		return tea.KeyPressMsg{Mod: mod}
	}
	r := []rune(name)[0]
	if mod != 0 {
		return tea.KeyPressMsg{Code: r, Mod: mod}
	}
	return tea.KeyPressMsg{Code: r, Text: name}
}
