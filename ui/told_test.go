package ui

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"lxd-allowlist/ui/dialog"
)

// tells shows a session in which LXD was told n things, and what it was told.
func (s *scene) tells(n int) *scene {
	var all []dialog.Told
	for i := range n {
		all = append(all, dialog.Told{At: noon.Add(time.Duration(i) * time.Second), Command: fmt.Sprintf("lxc network set lxdbr0 user.lxd-allowlist.lock=%d raw.dnsmasq=$'log-queries=extra\\nlog-facility=/dev/stderr'", i)})
	}
	if n == 1 {
		all[0].Command = "lxc exec dnstest -- sh -c $'" + strings.Repeat("if ! command -v su; then exit 127; fi\\n", 12) + "the end'"
	}
	if n > 1 {
		all[n-2].Failed = "ETag doesn't match"
	}
	s.session().m().capture.Told = func() []dialog.Told { return all }
	return s.press("M")
}

func TestToldScreens(t *testing.T) {
	for name, set := range map[string]func(*scene){
		"told":       func(s *scene) { s.tells(4).press("down") },
		"told-long":  func(s *scene) { s.tells(1).press("enter") },
		"told-empty": func(s *scene) { s.tells(0) },
	} {
		for _, size := range sizes {
			t.Run(fmt.Sprintf("%s/%dx%d", name, size[0], size[1]), func(t *testing.T) {
				s := newScene(t, size[0], size[1])
				set(s)
				s.golden(name)
			})
		}
	}
}

// What is copied is the selected command, or all that LXD did in its order; it
// is seen at every size, and there is nothing of it without LXD.
func TestToldIsCopied(t *testing.T) {
	for _, size := range sizes {
		s := newScene(t, size[0], size[1]).tells(40)
		for i := range 40 {
			if !strings.Contains(s.text(), "▌") {
				t.Fatalf("%v: the command %d from the end isn't seen:\n%s", size, i, s.text())
			}
			s.press("down")
		}
	}
	s := newScene(t, 120, 40).tells(4).press("down", "down")
	one, _ := dialog.Press(s.m().dialog, press("y")).(dialog.Copy)
	all, _ := dialog.Press(s.m().dialog, press("Y")).(dialog.Copy)
	if !strings.HasPrefix(one.Text, "lxc network set lxdbr0 user.lxd-allowlist.lock=1 ") || strings.Count(all.Text, "\n") != 3 || !strings.HasPrefix(all.Text, "lxc network set lxdbr0 user.lxd-allowlist.lock=0 ") || strings.Contains(all.Text, "lock=2 ") {
		t.Errorf("copied %q and %q", one, all)
	}
	s = newScene(t, 80, 24).tells(1)
	s.wants("lxc exec dnstest", " …", "enter all of it")
	if strings.Contains(s.text(), "the end") {
		t.Errorf("a long command is whole at once:\n%s", s.text())
	}
	s.press("enter").wants("the end'", "enter shorten it")
	s.session().press("M")
	if s.m().dialog != nil || !strings.Contains(s.text(), "LXD was told nothing") {
		t.Errorf("without LXD it shows\n%s", s.text())
	}
}
