package cgroup

import (
	"fmt"
	"net"
	"strconv"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

func init() { parts["load"] = playLoad }

// playLoad makes a number of things happen, a thousand of them a second and
// each by a socket of its own: KIND NUMBER.
func playLoad(args []string) {
	n, _ := strconv.Atoi(args[1])
	begun := time.Now()
	for i := range n {
		time.Sleep(time.Until(begun.Add(time.Duration(i) * time.Millisecond)))
		if args[0] != "connections" {
			c, err := net.Dial("udp", "10.77.0.1:53")
			if err != nil {
				fmt.Println(err)
				return
			}
			_, _ = c.Write(message(fmt.Sprintf("n%d.example.test", i), uint16(i)))
			c.Close()
		}
		if args[0] != "queries" {
			_, _ = net.Dial("tcp", "10.77.0.1:81") // refused
		}
	}
}

// What a query and a connection cost this process at a thousand a second: the
// processor's time for each, and of a core.
func BenchmarkAtThousandASecond(b *testing.B) {
	for _, kind := range []string{"queries", "connections", "both"} {
		b.Run(kind, func(b *testing.B) {
			g := newGround(b)
			g.watch()
			before, slept := processorTime()
			b.ResetTimer()
			g.run(play("load", kind, strconv.Itoa(b.N)))
			g.heard.until(b, "the last one", func() bool {
				return (kind == "connections" || len(g.heard.queries) >= b.N) && (kind == "queries" || len(g.heard.connections) >= b.N)
			})
			b.StopTimer()
			used, sleeps := processorTime()
			used, sleeps = used-before, sleeps-slept
			b.ReportMetric(float64(used.Microseconds())/float64(b.N), "cpu-us/op")
			b.ReportMetric(100*used.Seconds()/b.Elapsed().Seconds(), "%core")
			b.ReportMetric(float64(sleeps)/b.Elapsed().Seconds(), "sleeps/s")
			b.ReportMetric(float64(g.heard.lost), "lost")
		})
	}
}

// processorTime returns what this process had of the processors, and how often
// its threads went to sleep: each is a wake-up.
func processorTime() (used time.Duration, sleeps int64) {
	var u unix.Rusage
	_ = unix.Getrusage(unix.RUSAGE_SELF, &u)
	return time.Duration(u.Utime.Nano() + u.Stime.Nano()), u.Nvcsw
}
