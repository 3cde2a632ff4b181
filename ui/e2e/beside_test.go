package e2e

import (
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"lxd-allowlist/capture/lxd/lxdtest"
)

// newTmux runs tmux alone, with a shell of the host's.
func newTmux(b *testing.B) (t *terminal, socket string) {
	b.Helper()
	socket = filepath.Join(b.TempDir(), "tmux")
	t = newTerminalOf(b, exec.Command("tmux", "-f", "/dev/null", "-S", socket, "new-session", "sh"))
	b.Cleanup(func() { exec.Command("tmux", "-S", socket, "kill-server").Run() })
	t.sees(b, "#") // root's
	return t, socket
}

// BenchmarkKeyToEcho measures the time from a key typed into the shell to its
// echo, while a thousand new domains a second come in; and that of tmux alone.
func BenchmarkKeyToEcho(b *testing.B) {
	b.Run("here", func(b *testing.B) {
		t, bridge, _ := monitored(b)
		conn := resolver(b, bridge)
		flood := time.NewTicker(time.Millisecond)
		defer flood.Stop()
		done := make(chan struct{})
		var asking sync.WaitGroup
		asking.Go(func() {
			for {
				select {
				case <-flood.C:
					ask(b, conn)
				case <-done:
					return
				}
			}
		})
		defer asking.Wait()
		defer close(done)
		t.echoes(b)
	})
	b.Run("tmux", func(b *testing.B) {
		t, _ := newTmux(b)
		t.echoes(b)
	})
}

func (t *terminal) echoes(b *testing.B) {
	var took []time.Duration
	for i := 0; b.Loop(); i++ {
		word := fmt.Sprintf("<%d>", i)
		t.presses(b, word[:len(word)-1])
		t.sees(b, word[:len(word)-1])
		begin := time.Now()
		t.presses(b, ">")
		t.sees(b, word)
		took = append(took, time.Since(begin))
		t.presses(b, "\x15") // the line goes
	}
	report(b, took)
}

// BenchmarkShell measures how long 20 MB of a file and five million short lines
// take in the shell's pane, until what follows them is on the screen; and LXD's
// exec alone with the same command, on a terminal of the same size that is read
// and not drawn. "leave" is how long the chord out of the shell takes while the
// file comes.
func BenchmarkShell(b *testing.B) {
	instance := lxdtest.Instance(b, lxdtest.Bridge(b))
	if code := lxdtest.Run(b, instance, "sh", "-c", "yes 'the quick brown fox jumps over the lazy dog, and again, and again' | head -c 20000000 > /text"); code != 0 {
		b.Fatalf("no file: exit code %d", code)
	}
	for _, test := range []struct{ name, command string }{{"cat", "cat /text"}, {"yes", "yes | head -5000000"}} {
		b.Run(test.name+"/exec", func(b *testing.B) {
			for b.Loop() {
				execAlone(b, instance, test.command)
			}
		})
		b.Run(test.name+"/here", func(b *testing.B) {
			t := newTerminal(b, instance)
			t.sees(b, "~$")
			for i := 0; b.Loop(); i++ {
				t.presses(b, fmt.Sprintf("%s; echo en''d%d\r", test.command, i))
				t.sees(b, fmt.Sprint("end", i))
			}
		})
	}
	b.Run("leave", func(b *testing.B) {
		t := newTerminal(b, instance)
		t.sees(b, "~$")
		var took []time.Duration
		for i := 0; b.Loop(); i++ {
			t.presses(b, fmt.Sprintf("cat /text; echo en''d%d\r", i))
			for end := []string{fmt.Sprint("end", i)}; !t.shows(end); {
				took = append(took, t.leaves(b))
			}
		}
		report(b, took)
	})
}

// leaves leaves the shell, comes back and returns how long the way out took.
func (t *terminal) leaves(b *testing.B) time.Duration {
	begin := time.Now()
	t.presses(b, "\x1d")
	t.sees(b, "q quit")
	took := time.Since(begin)
	t.presses(b, "\x1d")
	t.sees(b, "to the table")
	return took
}

// execAlone reads all that a command in the instance prints on a terminal.
func execAlone(b *testing.B, instance, command string) {
	outer, inner := newPTY(b, 200, 60)
	defer outer.Close()
	c := exec.Command("lxc", "exec", instance, "--", "sh", "-c", command)
	onto(b, inner, c)
	n, _ := io.Copy(io.Discard, outer) // EIO is the terminal's end
	if err := c.Wait(); err != nil || n < 15_000_000 {
		b.Fatalf("%s: %d bytes, %v", command, n, err)
	}
}

// BenchmarkIdle measures how much of a core the monitor takes while nothing
// happens, over ten seconds for each round, and how often it is woken; and tmux.
func BenchmarkIdle(b *testing.B) {
	b.Run("here", func(b *testing.B) {
		t, _, _ := monitored(b)
		idles(b, strconv.Itoa(t.cmd.Process.Pid))
	})
	b.Run("tmux", func(b *testing.B) {
		_, socket := newTmux(b)
		pids, err := exec.Command("tmux", "-S", socket, "display-message", "-p", "#{pid} #{client_pid}").Output()
		if err != nil {
			b.Fatal(err)
		}
		idles(b, strings.Fields(string(pids))...)
	})
}

func idles(b *testing.B, pids ...string) {
	b.Helper()
	<-time.After(5 * time.Second) // what it does at the start is done
	var ran time.Duration
	var times int
	begin := time.Now()
	for b.Loop() {
		before, timesBefore := cpu(b, pids...)
		<-time.After(10 * time.Second)
		after, timesAfter := cpu(b, pids...)
		ran += after - before
		times += timesAfter - timesBefore
	}
	lasted := time.Since(begin).Seconds()
	b.ReportMetric(100*ran.Seconds()/lasted, "%core")
	b.ReportMetric(float64(times)/lasted, "wakes/s")
}

// cpu returns the time that processes have run, and how often, from
// /proc/PID/schedstat of their threads.
func cpu(b *testing.B, pids ...string) (ran time.Duration, times int) {
	b.Helper()
	for _, pid := range pids {
		paths, err := filepath.Glob(fmt.Sprintf("/proc/%s/task/*/schedstat", pid))
		if err != nil || len(paths) == 0 {
			b.Fatalf("no schedstat of process %s: %v", pid, err)
		}
		for _, p := range paths {
			data, err := os.ReadFile(p)
			if err != nil {
				continue // a thread that ended
			}
			var ns, waited, n int
			if _, err := fmt.Sscan(string(data), &ns, &waited, &n); err != nil {
				b.Fatal(err)
			}
			ran += time.Duration(ns)
			times += n
		}
	}
	return ran, times
}
