package forward

import (
	"fmt"
	"net"
	"net/netip"
	"os"
	"slices"
	"syscall"
	"testing"
	"time"

	"golang.org/x/net/dns/dnsmessage"
)

const benchConfig = "address=/allowed.example/192.0.2.7\ncache-size=10000\n"

// BenchmarkForward asks a dnsmasq directly and through a forwarder in turn. The
// budget is 2 ms for what that adds at the 99th percentile.
func BenchmarkForward(b *testing.B) {
	for _, network := range []string{"udp", "tcp"} {
		b.Run(network, func(b *testing.B) {
			addr := freePort(b)
			dnsmasq(b, on(addr)+benchConfig)
			f, _ := run(b, Config{Upstream: addr, Asked: func(Query) {}, Admit: func(string, []netip.Addr, time.Duration) error { return nil }})
			through := connect(b, f, network, "127.0.0.1")
			packet := query("www.allowed.example", dnsmessage.TypeA)
			var direct, forwarded []time.Duration
			for b.Loop() {
				conn, err := net.Dial(network, addr.String()) // dnsmasq serves 100 queries a connection
				if err != nil {
					b.Fatal(err)
				}
				at := time.Now()
				exchange(b, conn, packet)
				between := time.Now()
				exchange(b, through, packet)
				direct, forwarded = append(direct, between.Sub(at)), append(forwarded, time.Since(between))
				conn.Close()
				through.SetDeadline(time.Now().Add(patienceOfTests))
			}
			p := func(d []time.Duration, share float64) float64 {
				slices.Sort(d)
				return float64(d[int(float64(len(d)-1)*share)].Microseconds())
			}
			b.ReportMetric(p(direct, 0.5), "direct-p50-us")
			b.ReportMetric(p(forwarded, 0.5), "p50-us")
			b.ReportMetric(p(direct, 0.99), "direct-p99-us")
			b.ReportMetric(p(forwarded, 0.99), "p99-us")
			b.ReportMetric(p(forwarded, 0.99)-p(direct, 0.99), "added-p99-us")
		})
	}
}

// BenchmarkRate has many clients ask at once. The budget is 20,000 queries a
// second on two cores, with dnsmasq and clients on them: 100 us of the
// processor's time for each in all. On cores that others use, that is what to
// look at, cpu-us/op: it is this process's, clients included, and dnsmasq's.
func BenchmarkRate(b *testing.B) {
	addr := freePort(b)
	d := dnsmasq(b, on(addr)+benchConfig)
	for _, test := range []struct{ name, asked string }{{"direct", "www.allowed.example"}, {"allowed", "www.allowed.example"}, {"refused", "www.evil.example"}} {
		b.Run(test.name, func(b *testing.B) {
			f, _ := run(b, Config{Upstream: addr, Asked: func(Query) {}, Admit: func(string, []netip.Addr, time.Duration) error { return nil }})
			packet := query(test.asked, dnsmessage.TypeA)
			b.SetParallelism(16)
			before, its := cpu(b), d.cpu(b)
			b.ReportAllocs()
			b.RunParallel(func(pb *testing.PB) {
				to := netip.AddrPortFrom(addr.Addr(), f.Port())
				if test.name == "direct" {
					to = addr
				}
				conn, err := net.Dial("udp", to.String())
				if err != nil {
					b.Error(err)
					return
				}
				defer conn.Close()
				answer := make([]byte, leastSize)
				for pb.Next() {
					if _, err := conn.Write(packet); err != nil {
						b.Error(err)
					}
					if _, err := conn.Read(answer); err != nil {
						b.Error(err)
					}
				}
			})
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "queries/s")
			own, its := cpu(b)-before, d.cpu(b)-its
			b.ReportMetric(float64((own+its).Microseconds())/float64(b.N), "cpu-us/op")
			b.ReportMetric(float64(its.Microseconds())/float64(b.N), "dnsmasq-cpu-us/op")
		})
	}
}

// cpu is the processor's time that this process has had.
func cpu(b *testing.B) time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// cpu is the processor's time that dnsmasq has had.
func (d *daemon) cpu(b *testing.B) (used time.Duration) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/schedstat", d.cmd.Process.Pid))
	if err == nil {
		_, err = fmt.Sscan(string(text), &used)
	}
	if err != nil {
		b.Fatal(err)
	}
	return used
}
