package ui

import (
	"slices"
	"testing"

	"lxd-allowlist/capture/verify"
	"lxd-allowlist/ui/dialog"
)

// A report doesn't come up over a filter that is typed, whose enter would write
// it, and is all there on the lowest screen.
func TestReportTakesNoKeyOfOthers(t *testing.T) {
	s := newScene(t, 120, 40).enforcing(verify.Names)
	_, cmd := s.Update(press("V"))
	s.press("/").types("deb")
	s.do(cmd)
	if s.press("enter"); s.m().dialog != nil {
		t.Errorf("it is open:\n%s", s.text())
	}
	s.wants("V in the table shows the report")

	s = newScene(t, 40, 12).enforcing(verify.Strict).refuses().press("V")
	s.wants("Report  ↓ ")
	for range 40 {
		s.press("pgdown")
	}
	s.wants("╭─ Report ─", "dnstest-verified.md   ‹ md ›")
}

// The report's dialog doesn't take a key from who is at another one.
func TestReportWaitsForTheOtherDialog(t *testing.T) {
	s := newScene(t, 120, 40).enforcing(verify.Names)
	_, cmd := s.Update(press("V"))
	s.press("V") // once more, while it ends
	s.wants("is being taken out of force")
	s.press("?")
	s.do(cmd)
	if _, help := s.m().dialog.(*dialog.Palette); !help {
		t.Errorf("the dialog is %T", s.m().dialog)
	}
	s.press("esc")
	s.wants("works with this list; V in the table shows the report")
	if got := s.target.proofs; !slices.ContainsFunc(got, func(p verify.Proof) bool { return p.Proven }) {
		t.Errorf("proofs: %v", got)
	}
}
