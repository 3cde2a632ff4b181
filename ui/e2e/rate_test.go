package e2e

import (
	"bytes"
	"encoding/csv"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/fsnotify/fsnotify"

	"lxd-allowlist/capture/lxd/lxdtest"
)

// dnsmasqLog returns the log of a bridge that a capture has logged.
func dnsmasqLog(bridge string) string {
	return filepath.Join(os.Getenv("LXD_DIR"), "logs", "dnsmasq."+bridge+".log")
}

// newest watches a log, and returns what waits until a text is in what was
// added to it.
func newest(b *testing.B, log string) (sees func(text string)) {
	b.Helper()
	w, err := fsnotify.NewWatcher()
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { w.Close() })
	f, err := os.Open(log)
	if err == nil {
		err = w.Add(log)
	}
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { f.Close() })
	buf := make([]byte, 1<<20)
	return func(text string) {
		late := time.After(patience)
		for added := ""; !strings.Contains(added, text); {
			n, _ := f.Read(buf)
			if added += string(buf[:n]); n > 0 {
				continue
			}
			select {
			case <-w.Events:
			case <-late:
				b.Fatalf("%s is not in %s", text, log)
			}
		}
	}
}

const (
	highestRate = 130_000 // lines a second that a dnsmasq writes at most, of 100 bytes
	rateNames   = 200_000
	rateSeconds = 10 // in which each name is asked for
)

// rateLines returns what dnsmasq logs of queries of one address: every second
// one for the next name, the others for one as popular as its number is low; and
// of how many names.
func rateLines(queries int, address string) (lines [][]byte, names int) {
	r := rand.New(rand.NewPCG(1, 2))
	asked := make(map[int]bool)
	for q := range queries {
		n := q / 2 % rateNames
		if q%2 == 1 {
			n = int(math.Pow(rateNames, r.Float64())) - 1
		}
		asked[n] = true
		name := fmt.Sprintf("h%d-%x.rate%d.example.net", n, n*2654435761%(1<<32), n%9973)
		head := fmt.Sprintf("Nov 20 %02d:%02d:%02d dnsmasq[1234]: %d %s/%d ", q/36_000_000%24, q/600_000%60, q/10_000%60, q+1, address, 20_000+q%40_000)
		lines = append(lines, fmt.Appendf(nil, "%squery[A] %s from %s\n", head, name, address),
			fmt.Appendf(nil, "%sforwarded %s to 10.77.0.53\n", head, name),
			fmt.Appendf(nil, "%sreply %s is 198.18.%d.%d\n", head, name, q%256, q/256%256))
	}
	return lines, len(asked)
}

// BenchmarkHighestRate has a capture's log grow as fast as a dnsmasq can write
// it, with 200,000 new names, and measures how much of a core the monitor takes
// for that, how many frames it draws, and how many queries and names are not in
// its session in the end. "slow" is a thousand queries a second.
func BenchmarkHighestRate(b *testing.B) {
	for _, test := range []struct {
		name string
		rate int // lines a second
	}{{"slow", 3000}, {"highest", highestRate}} {
		b.Run(test.name, func(b *testing.B) {
			for b.Loop() {
				atRate(b, test.rate)
			}
		})
	}
}

func atRate(b *testing.B, rate int) {
	t, bridge, instance := monitored(b)
	log, err := os.OpenFile(dnsmasqLog(bridge), os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		b.Fatal(err)
	}
	defer log.Close()
	queries := rate * rateSeconds / 3
	lines, names := rateLines(queries, lxdtest.Address(b, instance))
	pid := strconv.Itoa(t.cmd.Process.Pid)
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	before, _ := cpu(b, pid)
	frames, begin := t.pauses.Load(), time.Now()
	for written := 0; written < len(lines); {
		<-tick.C
		due := min(len(lines), int(time.Since(begin).Seconds()*float64(rate)))
		if _, err := log.Write(bytes.Join(lines[written:due], nil)); err != nil {
			b.Fatal(err)
		}
		written = due
	}
	lasted := time.Since(begin).Seconds()
	b.ReportMetric(float64(t.pauses.Load()-frames)/lasted, "frames/s")
	t.sees(b, "Domains ", strconv.Itoa(names))
	after, _ := cpu(b, pid)
	b.ReportMetric(100*(after-before).Seconds()/lasted, "%core")
	b.ReportMetric(float64(len(lines))/lasted, "lines/s")
	t.close()
	gotNames, gotQueries := inSession(b)
	b.ReportMetric(float64(names-gotNames+queries-gotQueries), "missed")
}

// inSession returns how many of the names of rateLines the only session there is
// has, and how many queries for them.
func inSession(b *testing.B) (names, queries int) {
	b.Helper()
	journals, err := filepath.Glob(filepath.Join(os.Getenv("XDG_STATE_HOME"), "lxd-allowlist", "sessions", "*.jsonl"))
	if err != nil || len(journals) != 1 {
		b.Fatalf("sessions: %v, %v", journals, err)
	}
	out, err := exec.Command(program, "export", "--format", "csv", journals[0]).Output()
	if err != nil {
		b.Fatal(err)
	}
	rows, err := csv.NewReader(bytes.NewReader(out)).ReadAll()
	if err != nil {
		b.Fatal(err)
	}
	for _, row := range rows {
		if strings.Contains(row[0], ".rate") {
			n, err := strconv.Atoi(row[4])
			if err != nil {
				b.Fatal(err)
			}
			names++
			queries += n
		}
	}
	return names, queries
}
