package term

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// tmux is a terminal to hold ours against.
type tmux struct {
	socket string
	dir    string
	panes  int
}

// startTmux starts a server of its own and ends it with the test.
func startTmux(t *testing.T) *tmux {
	t.Helper()
	dir := t.TempDir()
	x := &tmux{socket: filepath.Join(dir, "s"), dir: dir}
	config := filepath.Join(dir, "conf")
	err := os.WriteFile(config, []byte("set -g status off\nset -g history-limit 2000\nset -g escape-time 0\n"), 0o600)
	if err != nil {
		t.Fatal(err)
	}
	x.run(t, "-f", config, "new-session", "-d", "-s", "keep", "cat")
	t.Cleanup(func() { x.run(t, "kill-server") })
	return x
}

func (x *tmux) run(t *testing.T, args ...string) string {
	t.Helper()
	cmd := exec.Command("tmux", append([]string{"-u", "-S", x.socket}, args...)...)
	cmd.Env = append(os.Environ(), "LC_ALL=C.UTF-8", "TMUX=")
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("tmux %q: %v: %s", args, err, out)
	}
	return strings.TrimSuffix(string(out), "\n")
}

// show has tmux print output in a pane of that size. It returns the screen and
// the cursor's position.
func (x *tmux) show(t *testing.T, w, h int, output []byte) (screen, cursor string) {
	t.Helper()
	x.panes++
	pane := fmt.Sprintf("p%d", x.panes)
	file := filepath.Join(x.dir, pane)
	// tmux takes up what comes in order: once it has the title, it has the rest.
	mark := "done " + pane
	if err := os.WriteFile(file, append(output, "\x18\x1b]2;"+mark+"\x07"...), 0o600); err != nil {
		t.Fatal(err)
	}
	x.run(t, "new-session", "-d", "-s", pane, "-x", fmt.Sprint(w), "-y", fmt.Sprint(h),
		"stty raw -echo; cat "+file+"; exec cat >/dev/null")
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for x.run(t, "display-message", "-p", "-t", pane, "#{pane_title}") != mark {
		select {
		case <-tick.C:
		case <-ctx.Done():
			t.Fatal("tmux doesn't come to the end of the output")
		}
	}
	screen = x.run(t, "capture-pane", "-p", "-t", pane)
	cursor = x.run(t, "display-message", "-p", "-t", pane, "#{cursor_x},#{cursor_y}")
	return screen, cursor
}

// compare holds our screen against tmux's and returns what differs.
func compare(t *testing.T, x *tmux, w, h int, output []byte) []string {
	t.Helper()
	s := show(t, w, h, string(output))
	checkLines(t, s)
	ours := strings.Split(s.Text(), "\n")
	text, cursor := x.show(t, w, h, output)
	theirs := strings.Split(text, "\n")
	var differences []string
	for y := range h {
		want := ""
		if y < len(theirs) {
			want = strings.TrimRight(theirs[y], " ")
		}
		if ours[y] != want {
			differences = append(differences, fmt.Sprintf("row %d is\n\t%q, tmux has\n\t%q", y, ours[y], want))
		}
	}
	cx, cy, _ := s.Cursor()
	// tmux puts the cursor beyond a full line.
	if got := fmt.Sprintf("%d,%d", cx, cy); got != cursor && !(cx == w-1 && cursor == fmt.Sprintf("%d,%d", w, cy)) {
		differences = append(differences, fmt.Sprintf("the cursor is at %s, tmux has %s", got, cursor))
	}
	return differences
}

const filled = "11111111111111111111\r\n22222222222222222222\r\n33333333333333333333\r\n" +
	"44444444444444444444\r\n55555555555555555555\r\n66666666666666666666"

func TestConformance(t *testing.T) {
	x := startTmux(t)
	tests := []struct{ name, output string }{
		{"text and SGR", "\x1b[1;31mred\x1b[0m plain \x1b[4:3mcurly\x1b[24m \x1b[38;2;1;2;3mrgb\r\n\x1b[7mx\x1b[27my"},
		{"wrap", strings.Repeat("0123456789", 7) + "\r\nx"},
		{"wrap pending", "01234567890123456789\rX\n01234567890123456789\bY"},
		{"wrap pending and move", "01234567890123456789\x1b[3;20HY\x1b[AZ"},
		{"wrap pending and erase", "01234567890123456789\x1b[KX"},
		{"no wrap", "\x1b[?7l012345678901234567890123456789\r\n日本語日本語日本語日本語日本語"},
		{"scroll", filled + "\r\n7\r\n8"},
		{"region", filled + "\x1b[2;4r\x1b[4;1H\n\nA\x1b[2;1H\x1bM\x1bMB\x1b[r\x1b[6;1HC"},
		{"origin mode", filled + "\x1b[2;5r\x1b[?6h\x1b[1;1HA\x1b[9;9HB\x1b[?6lC"},
		{"index outside of the region", filled + "\x1b[2;4r\x1b[6;1H\n\nA\x1b[1;1H\x1bM\x1bMB"},
		{"SU and SD", filled + "\x1b[2S\x1b[3TA\x1b[2;4r\x1b[S\x1b[2TB"},
		{"IL and DL", filled + "\x1b[2;1H\x1b[2L\x1b[5;1H\x1b[M"},
		{"IL and DL in a region", filled + "\x1b[2;5r\x1b[3;1H\x1b[LA\x1b[4;1H\x1b[2MB\x1b[99M"},
		{"IL outside of the region", filled + "\x1b[2;3r\x1b[5;1H\x1b[LA"},
		{"ICH and DCH", filled + "\x1b[1;5H\x1b[3@A\x1b[2;5H\x1b[3PB\x1b[3;18H\x1b[@\x1b[4;18H\x1b[9P"},
		{"ECH", filled + "\x1b[1;5H\x1b[3X\x1b[2;18H\x1b[99X\x1b[3;1H\x1b[0X"},
		{"ED 0", filled + "\x1b[3;5H\x1b[J"},
		{"ED 1", filled + "\x1b[3;5H\x1b[1J"},
		{"ED 2", filled + "\x1b[3;5H\x1b[2JA"},
		{"ED 3", filled + "\x1b[3;5H\x1b[3JA"},
		{"EL", filled + "\x1b[1;5H\x1b[K\x1b[2;5H\x1b[1K\x1b[3;5H\x1b[2KA"},
		{"moves", "\x1b[5;9HA\x1b[2AB\x1b[2DC\x1b[BD\x1b[3CE\x1b[2EF\x1b[FG\x1b[7GH\x1b[2dI\x1b[9`J"},
		{"relative moves", "\x1b[2;2HA\x1b[2aB\x1b[2eC"},
		{"moves by zero", "\x1b[3;3HA\x1b[0AB\x1b[0CC\x1b[0DD\x1b[0BE\x1b[0;0HF"},
		{"moves too far", "\x1b[99;99HA\x1b[99AB\x1b[99DC\x1b[99BD\x1b[99CE"},
		{"tabs", "\tA\tB\r\n123\tC\x1b[ZD\x1b[2ZE\r\n\x1b[5G\x1bH\r\tF\r\n\x1b[3g\tH"},
		{"tabs by number", "A\x1b[2IB"},
		{"save and restore", "ab\x1b7\x1b[5;5Hcd\x1b8X\x1b[s\x1b[3;3HY\x1b[uZ"},
		{"save at the edge", "01234567890123456789\x1b7\x1b[3;3HA\x1b8B"},
		{"reverse index", filled + "\x1b[H\x1bMA\x1bMB"},
		{"next line and index", "ab\x1bEcd\x1bDef\x1bMg"},
		{"repeat", "a\x1b[5b"},
		{"repeat wide", "日\x1b[3b"},
		{"insert mode", "abcdef\x1b[3G\x1b[4hXY日\x1b[4lZ"},
		{"line drawing", "\x1b(0lqqk\r\nx  x\r\nmqqj\x1b(B\r\n\x1b)0\x0eaaa\x0faaa"},
		{"wide", "日本語 text\r\n한국어 x\r\nЖüß"},
		{"wide at the edge", "0123456789012345678日本\r\n012345678901234567日本\r\n" + strings.Repeat("日", 15)},
		{"overwriting wide", ".日本語\x1b[1;3Hx\r\n\n.日本語\r.日\r\n.日本語\x1b[3GX\x1b[4GY"},
		{"erasing wide", "日本語日本語\x1b[1;3H\x1b[K\r\n日本語日本語\x1b[4G\x1b[1K\r\n日本語日本語\x1b[3G\x1b[4X"},
		{"erasing half of wide", "日本語日本語\x1b[1;4H\x1b[K"},
		{"marks", "e\u0301a\u0308o\u0302\u0303 日\u0301x\r\n" + strings.Repeat("n\u0303", 25)},
		{"alternate screen", "main\x1b[?1049h alt\x1b[3;3Hx\x1b[?1049l back"},
		{"alternate screen stays", "main\x1b[?1049h alt\x1b[3;3Hx"},
		{"alternate screen without saving", "main\x1b[?1047h alt\x1b[3;3Hx\x1b[?1047l back"},
		{"old alternate screen", "main\x1b[?47h alt\x1b[3;3Hx\x1b[?47l back"},
		{"reset", filled + "\x1b[2;4r\x1b[4h\x1bcA\nB"},
		{"soft reset", filled + "\x1b[2;4r\x1b[4h\x1b[?6h\x1b[!p\x1b[6;1HA\nB"},
		{"new line mode", "ab\ncd\x1b[20hef\ngh"},
		{"strings", "a\x1bP1;2|data\x1b\\b\x1b_app\x1b\\c\x1b]8;;http://x\x1b\\d\x1b]8;;\x07e\x1bXsos\x1b\\f"},
		{"controls in sequences", "ab\x1b[2\rCc\x1b[\n1Dd\x1b[3\x18e\x1b[2\x1b[3Cf"},
		{"other controls", "a\x00b\x01c\x07d\x7fe\x0bf\x0cg"},
		{"broken UTF-8", "a\xffb\xe6\x97c\xc3"},
		{"unknown sequences", "a\x1b[>4;1mb\x1b[?2026hc\x1b[=1ud\x1b[99ye\x1b#3f\x1b[1 qg"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			differences := compare(t, x, 20, 6, []byte(tt.output))
			known := knownDifferences[tt.name]
			for _, d := range differences {
				if known == "" {
					t.Error(d)
				}
			}
			if known != "" && len(differences) == 0 {
				t.Errorf("there is no difference any more: %s", known)
			}
		})
	}
}

// knownDifferences are cases in which we mean to differ from tmux, and why.
var knownDifferences = map[string]string{
	"wrap pending and erase":   "xterm ends the wrap and erases the last cell, and so do we",
	"IL and DL in a region":    "IL and DL move the cursor to the left margin, as a VT220 does",
	"IL outside of the region": "IL does nothing outside of the region, as on a VT220",
	"relative moves":           "tmux doesn't know HPR and VPR",
	"tabs by number":           "tmux doesn't know CHT",
	"repeat wide":              "tmux repeats only ASCII",
	"line drawing":             "tmux's capture gives the letters instead of the lines",
	"erasing half of wide":     "tmux leaves half of a wide character",
	"soft reset":               "tmux doesn't know DECSTR",
	"new line mode":            "tmux doesn't know LNM",
	"broken UTF-8":             "tmux drops what is broken, we show that it is",
}

// TestConformanceOfPrograms replays what programs have printed to a terminal
// of 80 by 24.
func TestConformanceOfPrograms(t *testing.T) {
	x := startTmux(t)
	files, err := filepath.Glob("testdata/*.bin")
	if err != nil || len(files) == 0 {
		t.Fatalf("no recordings: %v", err)
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			output, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			// Also in between, so that an error isn't painted over.
			for part := 1; part <= 4; part++ {
				for _, d := range compare(t, x, 80, 24, output[:len(output)*part/4]) {
					t.Errorf("after %d quarters: %s", part, d)
				}
			}
		})
	}
}
