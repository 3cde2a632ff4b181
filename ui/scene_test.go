package ui

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/x/ansi"

	"lxd-allowlist/capture"
)

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
	s.shows(&Capture{Ledger: l, Title: "dnstest on lxdbr0", Live: true, Shell: open})
	m := s.m()
	m.shell.screen.Write([]byte("ubuntu@dnstest:~$ \x1b[32mls\x1b[m\r\nREADME  snap\r\nubuntu@dnstest:~$ "))
	m.shell.screen.Text() // all of it is drawn now
	m.shell.starting, m.shell.ended = false, "the shell has ended"
	m.table.Tick(s.now)
	m.pace.tick(s.now, l, m.table.Tally().Total())
	return s.press("ctrl+]")
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
	r := []rune(name)[0]
	if mod != 0 {
		return tea.KeyPressMsg{Code: r, Mod: mod}
	}
	return tea.KeyPressMsg{Code: r, Text: name}
}
