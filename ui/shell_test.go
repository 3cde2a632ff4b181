package ui

import (
	"context"
	"errors"
	"io"
	"strings"
	"testing"
	"time"
)

// fakeShell is a shell that prints what it is told to and says when it ends.
type fakeShell struct {
	out    *io.PipeReader
	print  *io.PipeWriter
	typed  chan string
	closed chan struct{}
}

func newFakeShell() *fakeShell {
	s := &fakeShell{typed: make(chan string, 16), closed: make(chan struct{})}
	s.out, s.print = io.Pipe()
	return s
}

func (s *fakeShell) Read(b []byte) (int, error) { return s.out.Read(b) }
func (s *fakeShell) Write(b []byte) (int, error) {
	s.typed <- string(b)
	return len(b), nil
}
func (s *fakeShell) Close() error {
	close(s.closed)
	return s.print.Close()
}
func (s *fakeShell) Resize(int, int) error { return nil }
func (s *fakeShell) Wait() (int, error)    { return 0, nil }

// A shell that was opened too late, for another was asked for since, is closed
// and changes nothing; nor does its end, nor its output.
func TestAnOldShellIsIgnored(t *testing.T) {
	var opened []*fakeShell
	open := func(context.Context, int, int) (Shell, error) {
		opened = append(opened, newFakeShell())
		return opened[len(opened)-1], nil
	}
	p := &shellPane{ctx: t.Context(), open: open, w: 20, h: 5}
	first, second := p.start(true), p.start(true)
	late := first()
	if _, cmd := p.update(second()); cmd == nil || !p.running() {
		t.Fatal("the shell that was asked for last doesn't run")
	}
	_, cmd := p.update(late)
	if p.shell != Shell(opened[1]) {
		t.Error("the late shell took the place of the one that runs")
	}
	cmd()
	select {
	case <-opened[0].closed:
	default:
		t.Error("the late shell was not closed")
	}
	if news, _ := p.update(shellEndedMsg{gen: p.gen - 1, code: 3}); news != "" || !p.running() {
		t.Errorf("the end of another shell says %q and leaves it running: %t", news, p.running())
	}
	if _, again := p.update(screenMsg{gen: p.gen - 1}); again != nil {
		t.Error("the screen has two readers")
	}
	if news, _ := p.update(shellEndedMsg{gen: p.gen, code: 3}); news != "the shell has ended with exit code 3; the capture goes on" || p.running() {
		t.Errorf("its own end says %q and leaves it running: %t", news, p.running())
	}
	p.hangUp()
}

// A shell that can't be opened says so in its pane.
func TestShellThatDoesNotOpen(t *testing.T) {
	p := &shellPane{ctx: t.Context(), w: 20, h: 5, open: func(context.Context, int, int) (Shell, error) { return nil, errors.New("no such user") }}
	p.update(p.start(true)())
	if p.running() || p.ended != "no such user" {
		t.Errorf("it runs: %t, and says %q", p.running(), p.ended)
	}
}

// What is typed goes to the shell, but for the chord that leaves it; commands
// that are entered are counted.
func TestTypingIntoTheShell(t *testing.T) {
	s := newScene(t, 200, 60).session()
	shell := newFakeShell()
	m := s.m()
	m.shell.open = func(context.Context, int, int) (Shell, error) { return shell, nil }
	s.press("o")
	if !m.shell.running() || m.focus != onShell {
		t.Fatal("o opens no shell")
	}
	go io.Copy(shell, m.shell.screen.Input())
	s.press("l", "q", "?", "enter", "enter")
	var typed strings.Builder
	for typed.Len() < len("lq?\r\r") {
		typed.WriteString(<-shell.typed)
	}
	if typed.String() != "lq?\r\r" {
		t.Errorf("the shell got %q", typed.String())
	}
	m.shell.screen.Write([]byte("lq?\r\nubuntu@dnstest:~$ \r\nubuntu@dnstest:~$ "))
	m.shell.screen.Text() // all of it is drawn now
	s.Update(screenMsg{m.shell.gen})
	s.Update(tickMsg(s.now))
	if text := s.text(); m.pace.commands != 1 || !strings.Contains(text, ", 1 command ") {
		t.Errorf("%d commands were counted, want 1 on\n%s", m.pace.commands, text)
	}
	s.press("ctrl+]", "d")
	if m.focus != onTable || len(shell.typed) > 0 {
		t.Error("the chord doesn't leave the shell")
	}
	// A new domain is what the commands before it were for.
	feed(m.capture.Ledger, time.Now().Add(time.Second), "query[A] fresh.example from 10.0.0.5")
	s.Update(tickMsg(s.now))
	if m.pace.commands != 0 {
		t.Errorf("%d commands since the last new domain, want none", m.pace.commands)
	}
	m.shell.hangUp()
}
