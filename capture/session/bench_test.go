package session_test

import (
	"fmt"
	"testing"

	"lxd-allowlist/capture"
	"lxd-allowlist/capture/session"
)

// large makes a session of so many names below so many others, which have a
// suffix rule each, and returns it and its name.
func large(b *testing.B, names, suffixes int) (*session.Session, string) {
	b.Helper()
	b.Setenv("XDG_STATE_HOME", b.TempDir())
	b.Setenv("XDG_CONFIG_HOME", b.TempDir())
	s, err := session.Create(capture.Info{Instance: "dnstest"})
	if err != nil {
		b.Fatal(err)
	}
	for i := range names {
		feed(s.Ledger, fmt.Sprintf("query[A] h%d.z%d.example from 10.0.0.5", i, i%max(suffixes, names/9)))
	}
	for i := range suffixes {
		s.Ledger.KeepSuffix(fmt.Sprintf("z%d.example", i), "")
	}
	var name string
	s.Ledger.Read(func(r capture.Reader) { name = r.Info().Session })
	return s, name
}

// BenchmarkLoad reads sessions: a large one, and one with as many suffix rules as
// anybody will ever have, which takes a time that grows with its lines alone.
func BenchmarkLoad(b *testing.B) {
	for _, test := range []struct {
		name            string
		names, suffixes int
	}{{"million", 1_000_000, 0}, {"suffixes", 90_000, 10_000}} {
		b.Run(test.name, func(b *testing.B) {
			s, name := large(b, test.names, test.suffixes)
			if err := s.Close(); err != nil {
				b.Fatal(err)
			}
			for b.Loop() {
				if _, err := session.Load(name); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkChange decides about one of a million domains, as somebody does who
// then waits for the next key.
func BenchmarkChange(b *testing.B) {
	s, _ := large(b, 1_000_000, 0)
	for i := 0; b.Loop(); i++ {
		if _, err := s.Ledger.Decide(capture.Drop, capture.ID(i*7919%1_000_000)); err != nil {
			b.Fatal(err)
		}
	}
	b.StopTimer()
	if err := s.Close(); err != nil {
		b.Fatal(err)
	}
}
