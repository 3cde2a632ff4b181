package logfile_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"syscall"
	"testing"
	"time"

	"golang.org/x/net/dns/dnsmessage"

	"lxd-allowlist/capture"
	"lxd-allowlist/parse"
)

// daemon is a dnsmasq that logs to a file and answers by itself.
type daemon struct {
	t       *testing.T
	process *os.Process
	addr    string
	log     string
}

// dnsmasq starts one that ends with the test.
func dnsmasq(t *testing.T, log string) *daemon {
	t.Helper()
	if testing.Short() {
		t.Skip("not in short mode: it needs dnsmasq and root")
	}
	// An address of its own: nobody else takes the port meanwhile.
	host := netip.AddrFrom4([4]byte{127, byte(1 + rand.N(250)), byte(rand.N(256)), byte(1 + rand.N(250))}).String()
	free, err := net.ListenPacket("udp", net.JoinHostPort(host, "0"))
	if err != nil {
		t.Fatal(err)
	}
	addr := free.LocalAddr().(*net.UDPAddr)
	_ = free.Close()
	path, err := exec.LookPath("dnsmasq")
	if err != nil {
		path = "/usr/sbin/dnsmasq" // no user's shell looks there
	}
	c := exec.Command(path, "--keep-in-foreground", "--user", "--conf-file=/dev/null", "--pid-file", "--no-resolv", "--no-hosts", "--bind-interfaces",
		"--listen-address="+host, fmt.Sprintf("--port=%d", addr.Port), "--address=/example/192.0.2.7", "--log-queries=extra", "--log-facility="+log)
	if err := c.Start(); err != nil {
		t.Fatalf("%v: apt install dnsmasq-base", err)
	}
	t.Cleanup(func() {
		_ = c.Process.Kill()
		_ = c.Wait()
	})
	d := &daemon{t, c.Process, addr.String(), log}
	d.await("it answers", func() bool { return d.dial("udp").try("first.example") == nil })
	return d
}

// await looks again and again for what nobody tells of.
func (d *daemon) await(what string, is func() bool) {
	d.t.Helper()
	for late := time.Now().Add(patience); !is(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(late) {
			d.t.Fatalf("waited in vain until %s", what)
		}
	}
}

// client asks it by one connection.
type client struct {
	t *testing.T
	net.Conn
}

func (d *daemon) dial(network string) client {
	d.t.Helper()
	c, err := net.Dial(network, d.addr)
	if err != nil {
		d.t.Fatal(err)
	}
	d.t.Cleanup(func() { _ = c.Close() })
	return client{d.t, c}
}

func (c client) try(name string) error {
	m := dnsmessage.Message{
		Header:    dnsmessage.Header{ID: 7, RecursionDesired: true},
		Questions: []dnsmessage.Question{{Name: dnsmessage.MustNewName(name + "."), Type: dnsmessage.TypeA, Class: dnsmessage.ClassINET}},
	}
	query, err := m.Pack()
	if err != nil {
		return err
	}
	if err := c.SetDeadline(time.Now().Add(patience)); err != nil {
		return err
	}
	answer := make([]byte, 1024)
	if c.LocalAddr().Network() == "udp" {
		if _, err = c.Write(query); err == nil {
			_, err = c.Read(answer)
		}
		return err
	}
	if _, err := c.Write(append(binary.BigEndian.AppendUint16(nil, uint16(len(query))), query...)); err != nil {
		return err
	}
	if _, err := io.ReadFull(c, answer[:2]); err != nil {
		return err
	}
	_, err = io.ReadFull(c, answer[:binary.BigEndian.Uint16(answer)])
	return err
}

func (c client) ask(name string) {
	c.t.Helper()
	if err := c.try(name); err != nil {
		c.t.Fatalf("ask for %s: %v", name, err)
	}
}

// reopen has dnsmasq open its log anew.
func (d *daemon) reopen() {
	d.t.Helper()
	if err := d.process.Signal(syscall.SIGUSR2); err != nil {
		d.t.Fatal(err)
	}
}

// hasAll checks that a ledger has so many names, each asked for, and that
// nothing is known to be lost.
func hasAll(t *testing.T, l *capture.Ledger, asked []string) {
	t.Helper()
	awaitQueries(t, l, len(asked))
	l.Read(func(r capture.Reader) {
		for _, name := range asked {
			if _, ok := r.Lookup(name); !ok {
				t.Errorf("%s is missing", name)
			}
		}
		if lost := r.Counts().Losses; lost != (parse.Losses{}) {
			t.Errorf("it counts as lost %+v", lost)
		}
	})
}

// A log that is rotated as logrotate does it, by a new file and SIGUSR2, under
// load: dnsmasq writes to the old one until it has heard, and a child of it
// that answers by TCP for as long as the connection stands.
func TestDnsmasqReopensItsLog(t *testing.T) {
	home(t)
	d := dnsmasq(t, filepath.Join(t.TempDir(), "log"))
	r := open(t, d.log, true)
	asked := []string{"first.example"}
	for round := range 4 {
		awaitQueries(t, r.Ledger, len(asked)) // no log is rotated twice in a moment
		child := d.dial("tcp")
		child.ask(fmt.Sprintf("tcp%d.example", round))
		var wg sync.WaitGroup
		busy := d.dial("udp")
		var of []string
		enough := make(chan struct{})
		wg.Go(func() {
			for n := 0; ; n++ {
				name := fmt.Sprintf("busy%d.round%d.example", n, round)
				if err := busy.try(name); err != nil {
					t.Errorf("ask for %s: %v", name, err)
					return
				}
				of = append(of, name)
				select {
				case <-enough:
					return
				default:
				}
			}
		})
		if err := os.Rename(d.log, fmt.Sprintf("%s.%d", d.log, round)); err != nil {
			t.Fatal(err)
		}
		if round%2 == 0 { // logrotate's "create": dnsmasq makes it else
			write(t, d.log, "")
			d.dial("udp").ask(fmt.Sprintf("unheard%d.example", round))
			asked = append(asked, fmt.Sprintf("unheard%d.example", round))
		}
		d.reopen()
		d.await("the new log is in use", func() bool {
			st, err := os.Stat(d.log)
			return err == nil && st.Size() > 0
		})
		close(enough)
		wg.Wait()
		child.ask(fmt.Sprintf("late%d.example", round))
		asked = append(append(asked, of...), fmt.Sprintf("tcp%d.example", round), fmt.Sprintf("late%d.example", round))
	}
	hasAll(t, r.Ledger, asked)
}

// On a full disk dnsmasq answers and logs nothing, for good until it is told to
// reopen its log: what is missing is counted then.
func TestDnsmasqOnAFullDisk(t *testing.T) {
	home(t)
	dir := t.TempDir()
	if testing.Short() {
		t.Skip("not in short mode: it mounts a file system")
	}
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size=64k"); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(dir, syscall.MNT_DETACH); err != nil {
			t.Error(err)
		}
	})
	d := dnsmasq(t, filepath.Join(dir, "log"))
	r := open(t, d.log, true)
	c := d.dial("udp")
	asked := 1 // first.example
	filler, err := os.Create(filepath.Join(dir, "filler"))
	for err == nil {
		_, err = filler.Write(make([]byte, 512))
	}
	if !errors.Is(err, syscall.ENOSPC) {
		t.Fatal(err)
	}
	_ = filler.Close()
	logged := func() int {
		text, err := os.ReadFile(d.log)
		if err != nil {
			t.Fatal(err)
		}
		return bytes.Count(text, []byte("query["))
	}
	// Serials don't tell of a hundred queries, or a part of those, whether TCP
	// connections were to have them.
	for asked < 100 || (asked-logged())%20 != 10 {
		c.ask(fmt.Sprintf("full%d.example", asked))
		asked++
	}
	if err := os.Remove(filler.Name()); err != nil {
		t.Fatal(err)
	}
	c.ask("room.example")
	d.reopen()
	c.ask("reopened.example") // by when it may not have heard
	d.await("it logs again", func() bool {
		c.ask("after.example")
		asked++
		text, err := os.ReadFile(d.log)
		return err == nil && bytes.Contains(text, []byte("after.example"))
	})
	asked += 2
	late := time.After(patience)
	for {
		var counts capture.Counts
		r.Ledger.Read(func(r capture.Reader) { counts = r.Counts() })
		missing, lost := asked-int(counts.Queries), int(counts.Losses.Total())
		if lost > 50 && max(missing-lost, lost-missing) <= 2 { // a line that dnsmasq itself says is lost may be a query's or not
			return
		}
		select {
		case <-r.Ledger.Wake():
		case <-late:
			t.Fatalf("of %d queries %d were read, and it counts as lost %+v", asked, counts.Queries, counts.Losses)
		}
	}
}
