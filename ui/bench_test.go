package ui

import (
	"fmt"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	tea "charm.land/bubbletea/v2"

	"lxd-allowlist/capture"
)

// million is how many domains the large table has.
const million = 1_000_000

// largeScene shows a million domains below a hundred thousand registrable
// ones, as a live capture on 200 by 60 cells.
func largeScene(b testing.TB, n int) *scene {
	b.Helper()
	l := capture.NewLedger(capture.Info{Instance: "dnstest", Network: "lxdbr0", Domain: "lxd"})
	var lines strings.Builder
	for i := range n {
		fmt.Fprintf(&lines, "query[A] host%d.d%d.example%d.com from 10.0.0.5\nreply host%[1]d.d%[2]d.example%[3]d.com is 192.0.2.1\n", i, i%7, i*7919%(n/10))
		if lines.Len() > 1<<20 {
			l.Feed([]byte(lines.String()), noon.Add(time.Duration(i)*time.Millisecond), false)
			lines.Reset()
		}
	}
	l.Feed([]byte(lines.String()), noon.Add(time.Hour), false)
	s := newScene(b, 200, 60)
	s.phase = newMonitor(s.model, &Capture{Ledger: l, Title: "dnstest on lxdbr0", Live: true})
	loop := newLoop(s)
	loop.message(tea.WindowSizeMsg{Width: 200, Height: 60})
	loop.rest()
	s.m().table.Wake()
	if text := s.text(); !strings.Contains(text, fmt.Sprintf("Domains %d ", n)) || !strings.Contains(text, "▌") {
		b.Fatalf("it isn't there:\n%s", text)
	}
	runtime.GC()
	return s
}

// loop is the event loop of a scene: commands run beside it, and each message
// is timed with the frame that follows it.
type loop struct {
	*scene
	msgs    chan tea.Msg
	running int
	took    []time.Duration
}

func newLoop(s *scene) *loop { return &loop{scene: s, msgs: make(chan tea.Msg, 64)} }

// message hands a message to the model and draws what comes of it.
func (l *loop) message(msg tea.Msg) {
	begin := time.Now()
	_, cmd := l.Update(msg)
	l.View()
	l.took = append(l.took, time.Since(begin))
	l.run(cmd)
}

func (l *loop) run(cmd tea.Cmd) {
	if cmd == nil {
		return
	}
	l.running++
	go func() { l.msgs <- cmd() }()
}

// rest handles messages until nothing runs any more.
func (l *loop) rest() {
	for l.running > 0 {
		msg := <-l.msgs
		l.running--
		switch msg := msg.(type) {
		case nil:
		case tea.BatchMsg:
			for _, cmd := range msg {
				l.run(cmd)
			}
		default:
			l.message(msg)
		}
	}
}

func (l *loop) report(b *testing.B) {
	slices.Sort(l.took)
	at := func(q float64) float64 { return l.took[int(q*float64(len(l.took)-1))].Seconds() * 1000 }
	b.ReportMetric(at(0.50), "p50-ms")
	b.ReportMetric(at(0.99), "p99-ms")
	b.ReportMetric(at(1), "max-ms")
}

// BenchmarkKey measures how long a key holds the screen in a table of a
// million domains, and what is done away from it when that comes back: a key
// next to it waits as long; and how long it takes until all that comes of the key
// is drawn. A round is that.
func BenchmarkKey(b *testing.B) {
	s := largeScene(b, million)
	for _, test := range []struct {
		name string
		keys []string
	}{
		{"move", []string{"j"}},
		{"page", []string{"pgdown", "pgdown", "pgup"}},
		{"ends", []string{"G", "g"}},
		{"drop", []string{"d", "c"}},
		{"suffix", []string{"w", "enter"}},
		{"filter", []string{"/", "9", "9", "esc"}},
		{"sort", []string{"s"}},
		{"name", []string{"3", "2"}}, // by queries, then by name
		{"reverse", []string{"r"}},
		{"hide", []string{"h"}},
		{"group", []string{"t", "j", "left", "d", "c", "T", "t"}},
		{"details", []string{"enter", "j", "j", "esc"}},
		{"palette", []string{":", "r", "e", "v", "o", "r", "down", "esc"}},
		{"ladder", []string{"w", "up", "up", "tab", "esc"}},
		{"all", []string{"D", "u"}},
	} {
		b.Run(test.name, func(b *testing.B) {
			l := newLoop(s)
			before := cpu(b)
			var drawn []time.Duration
			for i := 0; b.Loop(); i++ {
				begin := time.Now()
				l.message(press(test.keys[i%len(test.keys)]))
				l.rest()
				drawn = append(drawn, time.Since(begin))
			}
			slices.Sort(drawn)
			b.ReportMetric(drawn[(len(drawn)-1)*99/100].Seconds()*1000, "drawn-p99-ms")
			b.ReportMetric((cpu(b)-before).Seconds()*1000/float64(b.N), "cpu-ms/op")
			l.report(b)
			l.message(press("esc"))
			l.rest()
		})
	}
}

// cpu returns the time that this process has had of all cores.
func cpu(b *testing.B) time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// BenchmarkNews measures how long the new domains of one frame, of a thousand
// a second, hold the screen of a million.
func BenchmarkNews(b *testing.B) {
	s := largeScene(b, million)
	for _, grouped := range []bool{false, true} {
		b.Run(map[bool]string{false: "flat", true: "grouped"}[grouped], func(b *testing.B) {
			l := newLoop(s)
			if s.m().table.Grouped() != grouped {
				l.message(press("t"))
				l.rest()
			}
			l.took = nil
			for i := 0; b.Loop(); i++ {
				for j := range 22 {
					feed(s.m().capture.Ledger, noon.Add(2*time.Hour), fmt.Sprintf("query[A] new%d.%d.example from 10.0.0.5", j, i))
				}
				begin := time.Now()
				s.m().table.Refresh(s.now)
				s.View()
				l.took = append(l.took, time.Since(begin))
			}
			l.report(b)
		})
	}
}

// BenchmarkUnderLoad measures how long a key of the palette, or of the table,
// holds the screen of a million while a thousand new domains a second come in,
// and what these do.
func BenchmarkUnderLoad(b *testing.B) {
	s := largeScene(b, million)
	frame := 0
	for _, test := range []struct {
		name string
		keys []string
	}{{"palette", paletteKeys}, {"table", tableKeys}} {
		b.Run(test.name, func(b *testing.B) {
			l := newLoop(s)
			for i := 0; b.Loop(); i++ {
				l.uses(frame, test.keys[i%len(test.keys)])
				frame++
			}
			l.report(b)
			l.message(press("esc"))
			l.rest()
		})
	}
}

// paletteKeys look through the palette, do what is found and come back;
// tableKeys move, mark, look closer, filter and sort.
var (
	paletteKeys = []string{":", "s", "o", "r", "t", " ", "n", "enter", "ctrl+p", "down", "down", "pgdown", "esc"}
	tableKeys   = []string{"j", "j", "d", "pgdown", "k", "enter", "j", "esc", "/", "9", "9", "enter", "G", "esc", "g", "r"}
)

// uses presses a key in the frame in which 22 new domains come in.
func (l *loop) uses(frame int, key string) {
	for j := range 22 {
		feed(l.m().capture.Ledger, noon.Add(2*time.Hour), fmt.Sprintf("query[A] new%d.%d.example from 10.0.0.5", j, frame))
	}
	begin := time.Now()
	l.m().table.Refresh(l.now)
	l.m().tableChanged()
	l.View()
	l.took = append(l.took, time.Since(begin))
	l.message(press(key))
	l.rest()
}

// What comes in while the palette is used is there afterwards, and what was
// found in it was done. A machine may be slow: BenchmarkUnderLoad has
// the times.
func TestPaletteUnderLoad(t *testing.T) {
	n := million
	if testing.Short() {
		n /= 20
	}
	l := newLoop(largeScene(t, n))
	for i, key := range paletteKeys {
		l.uses(i, key)
	}
	want := fmt.Sprintf("Domains %d ", n+22*len(paletteKeys))
	if text := l.text(); l.m().dialog != nil || !strings.Contains(text, want) || !strings.Contains(text, "last↓") {
		t.Errorf("want %q, sorted by the next column, in\n%s", want, text)
	}
}

// BenchmarkRedraw measures a frame after something in every row has changed.
func BenchmarkRedraw(b *testing.B) {
	for _, enforced := range []bool{false, true} {
		b.Run(map[bool]string{false: "learning", true: "enforcing"}[enforced], func(b *testing.B) {
			s := largeScene(b, 1000)
			if enforced {
				s.enforces(&target{ledger: s.m().capture.Ledger})
			}
			b.ReportAllocs()
			var v tea.View
			for b.Loop() {
				s.m().table.Restyle()
				v = s.View()
			}
			_ = v
		})
	}
}

// A frame of a table with all that a row can show allocates little: what it
// allocates is what the collector works on while queries pour in.
func TestRedrawAllocatesLittle(t *testing.T) {
	s := newScene(t, 200, 60)
	l := capture.NewLedger(capture.Info{Instance: "dnstest", Network: "lxdbr0"})
	for i := range 200 {
		name := fmt.Sprintf("host%d.cdn.example%d.com", i, i%50)
		for range 150 {
			feed(l, noon, "query[A] "+name+" from 10.0.0.5")
		}
		feed(l, noon, "query[AAAA] "+name+" from 10.0.0.6", "query[HTTPS] "+name+" from 10.0.0.7", "reply "+name+" is 192.0.2.1")
	}
	l.SetOwners(map[string]string{"10.0.0.5": "dnstest", "10.0.0.6": "web", "10.0.0.7": "db"})
	s.shows(&Capture{Ledger: l, Title: "dnstest on lxdbr0", Live: true})
	s.press("/").types("cdn").press("enter", "A")
	redraw := func() {
		s.m().table.Restyle()
		s.View()
	}
	if got := testing.AllocsPerRun(20, redraw); got > 500 {
		t.Errorf("a redraw of a changed table makes %.0f allocations, want 500 at most", got)
	}
	s.press("esc")
	s.enforces(&target{ledger: l})
	if got := testing.AllocsPerRun(20, redraw); got > 500 {
		t.Errorf("a redraw of it under an enforced list makes %.0f allocations, want 500 at most", got)
	}
}
