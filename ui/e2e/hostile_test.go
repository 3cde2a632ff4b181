package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/charmbracelet/x/ansi"

	"lxd-allowlist/capture/lxd/lxdtest"
)

// hostile returns the corpus of ui/term.
func hostile(t *testing.T) (all []string) {
	t.Helper()
	text, err := os.ReadFile("../term/testdata/hostile.txt")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		if output, err := strconv.Unquote(strings.TrimSpace(line)); err == nil {
			all = append(all, output)
		}
	}
	return all
}

// octal returns text as the printf of a shell takes it.
func octal(text string) string {
	var b strings.Builder
	for i := range len(text) {
		fmt.Fprintf(&b, `\%03o`, text[i])
	}
	return b.String()
}

// ours is what the program itself says to its terminal besides text once it has
// begun: SGR, moves and edits, and whether the cursor is seen. What it sets and
// asks for as it begins and ends is not among it, so that the like of that from
// the instance is noticed.
var ours = regexp.MustCompile(`^\x1b(\[[0-9;:]*[mABCDEFGHJKLMPSTXZ@bdr` + "`" + `]|\[\?25[hl]|M)$`)

// foreign returns what of a recording isn't the program's own, each kind of it
// once. It begins with the cursor in the shell. Two things the renderer says by
// turns, so that one out of turn isn't its own: no wrap, before it writes a line's
// last cell, and wrap after it; the cursor's shape put back when there is none any
// more, and set when there is one again.
func foreign(record string) (all []string) {
	turns := map[string]string{"\x1b[?7h": "\x1b[?7l", "\x1b[?7l": "\x1b[?7h", "\x1b[1 q": "\x1b[0 q", "\x1b[0 q": "\x1b[1 q"}
	next := map[byte]string{'7': "\x1b[?7l", 'q': "\x1b[0 q"}
	for rest, state := record, byte(0); rest != ""; {
		part, _, n, after := ansi.DecodeSequence(rest, state, nil)
		rest, state = rest[n:], after
		if len(part) == 0 || part[0] >= ' ' && part[0] != 0x7f && !(part[0] == 0xc2 && len(part) == 2 && part[1] < 0xa0) || strings.Contains("\r\n\b\t", part) || ours.MatchString(part) {
			continue
		}
		if other, ok := turns[part]; ok {
			kind := part[len(part)-1]
			if kind != 'q' {
				kind = '7'
			}
			if next[kind] == part {
				next[kind] = other
				continue
			}
		}
		if kind := fmt.Sprintf("%.40q", part); !slices.Contains(all, kind) {
			all = append(all, kind)
		}
	}
	return all
}

// What the renderer says by turns is its own in its turn alone.
func TestForeign(t *testing.T) {
	const own = "x\x1b[?7l\x1b[31my\x1b[?7h\x1b[2;3H\x1b[?25l\x1b[0 q\x1b[1 q\x1b[?25h"
	for record, want := range map[string]string{
		own + own:            "[]",
		own + "\x1b[?7h":     `["\x1b[?7h"]`,
		own + "\x1b[1 q":     `["\x1b[1 q"]`,
		"\x1b[?7l" + own:     `["\x1b[?7l"]`,
		"\x1b[3 q" + own:     `["\x1b[3 q"]`,
		own + "\x1b]2;t\x07": `["\x1b]2;t\a"]`,
	} {
		if got := fmt.Sprint(foreign(record)); got != want {
			t.Errorf("foreign in %q is %s, want %s", record, got, want)
		}
	}
}

// Nothing that an instance prints reaches the outer terminal but as cells: the
// bytes that the terminal gets are recorded, and only cells, SGR, moves and our
// own modes are in them. It writes no file and presses no key.
func TestHostileInstance(t *testing.T) {
	bridge, instance, before := fixture(t)
	var script strings.Builder
	for _, output := range hostile(t) {
		fmt.Fprintf(&script, "printf '%s'\nprintf '\\030\\033\\\\\\033[m'\n", octal(output))
	}
	script.WriteString("head -c 10000000 /dev/zero | tr '\\000' x\n")
	script.WriteString("printf '\\033c\\033[2J\\033[Hafter''wards\\n'\n")
	if code := lxdtest.Run(t, instance, "sh", "-c", "cat >/home/ubuntu/hostile <<'END'\n"+script.String()+"END"); code != 0 {
		t.Fatalf("the script was not written: %d", code)
	}
	s := open(t, 120, 40, instance)
	s.sees("~$")
	record := filepath.Join(t.TempDir(), "record")
	s.tmux("pipe-pane", "-O", "cat >"+record)
	files, err := os.ReadDir(s.dir)
	if err != nil {
		t.Fatal(err)
	}
	s.types("sh /home/ubuntu/hostile")
	s.sees("afterwards")
	s.keys("C-c") // what the pane answered is for the instance, whose shell takes it for typed
	s.types("clear; nslookup a.example.test >/dev/null")
	s.row("new", "a.example.test")
	s.keys("C-]")
	s.sees("▌")
	s.tmux("pipe-pane")

	got, err := os.ReadFile(record)
	if err != nil || len(got) == 0 {
		t.Fatalf("%d bytes were recorded: %v", len(got), err)
	}
	if all := foreign(string(got)); len(all) > 0 {
		t.Errorf("of %d bytes these are not ours: %v", len(got), all)
	}
	t.Logf("%d bytes recorded", len(got))
	if now, err := os.ReadDir(s.dir); err != nil || len(now) != len(files) {
		t.Errorf("there are files %v, %v, and were %v", now, err, files)
	}
	s.quits()
	lxdtest.Unchanged(t, bridge, before)
}
