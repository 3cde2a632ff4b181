package ui

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"lxd-allowlist/capture"
	"lxd-allowlist/ui/dialog"
)

func TestCourseScreens(t *testing.T) {
	for name, set := range map[string]func(*scene){
		"course": func(s *scene) { s.replays(320).press("I", "down", "down") },
		"course-empty": func(s *scene) {
			s.shows(&Capture{Ledger: capture.NewLedger(capture.Info{Started: noon}), Title: "dnstest on lxdbr0", Live: true})
			s.showsCourse()
		},
		"course-long": func(s *scene) {
			l := capture.NewLedger(capture.Info{Instance: "dnstest", Started: noon})
			for i := range 60 {
				at := noon.Add(time.Duration(i*i) * time.Minute)
				l.Entered(capture.Command{At: at, Line: fmt.Sprintf("sh /root/step-%d.sh --with a-rather-long-list-of-arguments --that goes-on-and-on", i)})
				for n := range i % 7 {
					feed(l, at.Add(time.Second), fmt.Sprintf("query[A] d%d-%d.example from 10.0.0.5", i, n))
				}
			}
			s.now = noon.Add(62 * time.Hour)
			s.shows(&Capture{Ledger: l, Title: "dnstest on lxdbr0", Live: true})
			s.m().table.Tick(s.now)
			s.showsCourse()
		},
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

// showsCourse opens the course as it is at the scene's time.
func (s *scene) showsCourse() {
	s.m().openCourse() // and not what counts up to the real time
	s.m().handle(courseMsg{s.m().dialog.(*dialog.Course), courseOf(s.m().capture.Ledger, s.now)})
}

// A command has the names that came up between it and the next; enter shows
// these, and so does the filter by a word of it.
func TestCourseOfCommands(t *testing.T) {
	s := newScene(t, 120, 40).replays(320).press("I")
	d, ok := s.m().dialog.(*dialog.Course)
	if !ok {
		t.Fatalf("there is no course:\n%s", s.text())
	}
	news := 0
	for _, c := range d.Commands {
		news += c.News
	}
	if len(d.Commands) != 10 || d.Commands[0].Line != "sudo apt update" || d.Commands[0].News != 4 || d.Commands[9].News != 0 || news+4 != len(d.News) {
		t.Errorf("%d names came up, of commands: %+v", len(d.News), d.Commands)
	}
	if d.Since != 1 || !strings.Contains(s.text(), ", 1 command: a count, no promise") {
		t.Errorf("%d commands since the last new name\n%s", d.Since, s.text())
	}
	s.press("down", "enter")
	if got := s.m().table.Filter(); got != "cmd:curl+-s+https://api.example.com/health" || !strings.Contains(s.text(), "Domains 1 of 51") {
		t.Errorf("the filter is %q:\n%s", got, s.text())
	}
	s.press("esc", "/").types("cmd:snap !storage").press("enter")
	if text := s.text(); !strings.Contains(text, "api.snapcraft.io") || strings.Contains(text, "storage.") || strings.Contains(text, "ubuntu.com") || strings.Contains(text, "pypi") {
		t.Errorf("filtered by a command it shows\n%s", text)
	}
}

// However long it lasted, its scale is whole on the smallest screen.
func TestCourseScaleIsWhole(t *testing.T) {
	for minutes := range 90 {
		l := capture.NewLedger(capture.Info{Started: noon})
		feed(l, noon, "query[A] a.example from 10.0.0.5")
		s := newScene(t, leastWidth, 24)
		s.now = noon.Add(time.Duration(minutes) * time.Minute)
		s.shows(&Capture{Ledger: l, Title: "dnstest on lxdbr0", Live: true})
		s.showsCourse()
		if text := s.text(); !strings.Contains(text, "at most 1 a minute") && !strings.Contains(text, "≤1/min") {
			t.Errorf("of %d minutes it is\n%s", minutes, text)
		}
	}
}

// The course is there at once: what is pressed before it is counted is about it.
func TestCourseIsThereAtOnce(t *testing.T) {
	s := newScene(t, 120, 40).session()
	counted := s.m().openCourse()
	s.wants("New names a minute", "counting…")
	s.press("enter").wants("it is still being counted")
	s.press("I")
	s.m().handle(counted())
	if s.m().dialog != nil {
		t.Errorf("pressed twice it is open:\n%s", s.text())
	}
}

// A command that nobody entered is an error, as unknown values of other keys
// are; one that no name came up after, or that was entered a moment ago, is none.
func TestUnknownCommandIsAnError(t *testing.T) {
	s := newScene(t, 120, 40).replays(320).press("/").types("cmd:zzz").press("enter")
	s.wants("there is no cmd:zzz: it wants", "Domains 0 of 51")
	if s.press("D"); s.m().table.Tally().DropByUser > 0 {
		t.Errorf("what can't be understood was decided about:\n%s", s.text())
	}
	s.m().capture.Ledger.Entered(capture.Command{At: s.now, Line: "Zzz --all"})
	s.press("esc")
	s.m().filterCommand("zzz --all")
	if err := s.m().table.FilterError(); err != nil {
		t.Errorf("a command that was entered a moment ago: %v", err)
	}
	s.press("esc", "/").types("cmd:z").press("tab").wants("/cmd:zzz", "cmd:zzz 0")
	s = newScene(t, 120, 40).session().press("/").types("cmd:apt").press("enter")
	s.wants("there is no cmd:apt: it wants words of a command")
}

// What is entered in the shell is noted in the session.
func TestEnteredIsNoted(t *testing.T) {
	s := newScene(t, 120, 40).session()
	screen := s.m().shell.screen
	screen.Key(press("l"))
	screen.Key(press("enter"))
	screen.Write([]byte("ls\r\nREADME\r\n"))
	screen.Text()
	s.m().handle(screenMsg{-1})
	var all []capture.Command
	s.m().capture.Ledger.Read(func(r capture.Reader) { all = r.Commands() })
	if len(all) != 1 || all[0].Line != "ls" {
		t.Errorf("noted %+v", all)
	}
}

// What has ended is told of as it was at its end, and not as now, nor as when the
// last new name came.
func TestCourseOfWhatHasEnded(t *testing.T) {
	l := capture.NewLedger(capture.Info{Log: "dns.log"})
	feed(l, noon, "query[A] a.example from 10.0.0.5")
	feed(l, noon.Add(20*time.Minute), "query[A] a.example from 10.0.0.5")
	s := newScene(t, 80, 24).shows(&Capture{Ledger: l, Title: "dns.log"})
	counted := s.m().openCourse()
	s.m().handle(counted())
	s.wants("at its end: nothing new for 20m, no command since: a count, no promise")
}
