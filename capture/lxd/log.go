package lxd

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/netip"
	"os"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"golang.org/x/net/dns/dnsmessage"
)

// ownLogs is where dnsmasq writes when LXD's own log can't be used. It stays
// there for good: a network whose log directory is missing at LXD's start is
// unavailable.
const ownLogs = "/var/log/lxd-allowlist"

// Where LXD's packages keep its logs.
const (
	nativeLogs = "/var/log/lxd"
	snapLogs   = "/var/snap/lxd/common/lxd/logs"
)

// LogPath returns the file that dnsmasq's queries are in.
func (l *Lease) LogPath() string {
	if l.replaced.file != "" {
		return l.replaced.file
	}
	return dnsmasqLog(l.network, logDirs(l.server.socket))
}

// logDirs returns where the daemon behind a socket may keep its logs, the
// likeliest first.
func logDirs(socket string) []string {
	var dirs []string
	if dir := os.Getenv("LXD_DIR"); dir != "" {
		dirs = append(dirs, filepath.Join(dir, "logs"))
	}
	return append(dirs, filepath.Join(filepath.Dir(socket), "logs"), nativeLogs, snapLogs)
}

// dnsmasqLog returns the log of a network's dnsmasq in the first directory
// that has one. Where none has, or none lets us look, it is the first: what
// is read there fails with a reason.
func dnsmasqLog(network string, dirs []string) string {
	name := "dnsmasq." + network + ".log"
	for _, dir := range dirs {
		if _, err := os.Stat(filepath.Join(dir, name)); err == nil {
			return filepath.Join(dir, name)
		}
	}
	return filepath.Join(dirs[0], name)
}

// UseFile has dnsmasq log to a file of our own instead of LXD's, which is
// what [Lease.LogPath] returns then. Release removes the file.
func (l *Lease) UseFile(ctx context.Context) error {
	if err := makeLogDir(); err != nil {
		return fmt.Errorf("make a log directory for dnsmasq: %w: run this as root", err)
	}
	// A name of its own: dnsmasq would append to what an earlier run left.
	file := filepath.Join(ownLogs, l.network+"."+l.replaced.token[:8]+".log")
	return l.apply(ctx, file)
}

// makeLogDir makes [ownLogs] such that what dnsmasq writes there is readable
// for the group that may use LXD, and for nobody else.
func makeLogDir() error {
	err := os.Mkdir(ownLogs, 0o750)
	if errors.Is(err, fs.ErrExist) {
		return nil
	}
	if err != nil {
		return err
	}
	gid := 0
	if group, err := user.LookupGroup("lxd"); err == nil { // the snap may make none
		gid, _ = strconv.Atoi(group.Gid)
	}
	if err := os.Chown(ownLogs, 0, gid); err != nil {
		return err
	}
	return os.Chmod(ownLogs, 0o750|fs.ModeSetgid)
}

// removeLog removes a log file of our own; any other path is not ours to
// remove, whatever the network's configuration says.
func removeLog(file string) error {
	if file == "" || filepath.Dir(filepath.Clean(file)) != ownLogs {
		return nil
	}
	if err := os.Remove(file); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("remove dnsmasq's log: %w", err)
	}
	return nil
}

// canaryTimeout is how long dnsmasq may take to answer what it knows itself.
const canaryTimeout = time.Second

// Canary returns a name that nobody else asks for and a function that asks
// dnsmasq for it on the bridge. Its query must appear in the log.
func (l *Lease) Canary(context.Context) (name string, send func(context.Context) error) {
	name = strings.ToLower(rand.Text()[:16]) + "." + l.domain
	return name, func(ctx context.Context) error {
		if err := l.ask(ctx, name); err != nil {
			return fmt.Errorf("ask dnsmasq at %s for %s: %w", l.addrs[0], name, unanswered(err))
		}
		return nil
	}
}

// knockPatience is how long the kernel may take to say that nobody listens at an
// address of this host.
const knockPatience = 50 * time.Millisecond

// Listens reports whether anybody listens where dnsmasq does: false is certain.
// What is sent is shorter than a query's header, so that dnsmasq neither answers
// nor logs it.
func (l *Lease) Listens(ctx context.Context) bool {
	conn, err := new(net.Dialer).DialContext(ctx, "udp", net.JoinHostPort(l.addrs[0].String(), "53"))
	if err != nil {
		return true
	}
	defer conn.Close()
	if _, err = conn.Write([]byte{0}); err == nil {
		_ = conn.SetReadDeadline(time.Now().Add(knockPatience)) // the read fails then, too
		_, err = conn.Read(make([]byte, 1))
	}
	return !errors.Is(err, syscall.ECONNREFUSED)
}

// unanswered puts in plain words why a query got no answer.
func unanswered(err error) error {
	var late net.Error
	switch {
	case errors.Is(err, syscall.ECONNREFUSED):
		return said{err, "nothing listens there"}
	case errors.As(err, &late) && late.Timeout(), errors.Is(err, context.DeadlineExceeded):
		return said{err, "it doesn't answer"}
	}
	return err
}

// Answer is what dnsmasq answered to a query for IPv4 addresses.
type Answer struct {
	Denied    bool // there is no such name, or it has an address that nobody has
	Addresses []netip.Addr
}

// Ask asks dnsmasq for the addresses of a name. An answer that tells neither
// them nor that there are none is an error.
func (l *Lease) Ask(ctx context.Context, name string) (a Answer, err error) {
	m, err := l.exchange(ctx, name)
	if err != nil {
		return a, err
	}
	if m.RCode != dnsmessage.RCodeSuccess && m.RCode != dnsmessage.RCodeNameError {
		return a, fmt.Errorf("%s: %v", name, m.RCode)
	}
	for _, r := range m.Answers {
		if body, ok := r.Body.(*dnsmessage.AResource); ok {
			a.Addresses = append(a.Addresses, netip.AddrFrom4(body.A))
		}
	}
	a.Denied = m.RCode == dnsmessage.RCodeNameError || len(a.Addresses) > 0 && a.Addresses[0].IsUnspecified()
	return a, nil
}

// ask sends a query for an address and waits for any answer to it.
func (l *Lease) ask(ctx context.Context, name string) error {
	ctx, cancel := context.WithTimeout(ctx, canaryTimeout)
	defer cancel()
	_, err := l.exchange(ctx, name)
	return err
}

func (l *Lease) exchange(ctx context.Context, name string) (m dnsmessage.Message, err error) {
	qname, err := dnsmessage.NewName(name + ".")
	if err != nil {
		return m, err
	}
	query := dnsmessage.Message{
		Header:    dnsmessage.Header{ID: 1, RecursionDesired: true},
		Questions: []dnsmessage.Question{{Name: qname, Type: dnsmessage.TypeA, Class: dnsmessage.ClassINET}},
	}
	packet, err := query.Pack()
	if err != nil {
		return m, err
	}
	conn, err := new(net.Dialer).DialContext(ctx, "udp", net.JoinHostPort(l.addrs[0].String(), "53"))
	if err != nil {
		return m, err
	}
	defer conn.Close()
	defer context.AfterFunc(ctx, func() { conn.SetDeadline(time.Now()) })()
	if _, err := conn.Write(packet); err != nil {
		return m, err
	}
	// The socket is connected and used once: whatever comes is the answer.
	reply := make([]byte, 4096)
	n, err := conn.Read(reply)
	if err != nil {
		return m, err
	}
	return m, m.Unpack(reply[:n])
}

// readable fails where LXD's log is there and may not be read: better said
// before dnsmasq is restarted than after.
func (l *Lease) readable() error {
	f, err := os.Open(l.LogPath())
	if errors.Is(err, fs.ErrPermission) {
		return fmt.Errorf("read dnsmasq's log %s: %w: use sudo; bridge %s was not touched", l.LogPath(), fs.ErrPermission, l.network)
	}
	if err == nil {
		f.Close()
	}
	return nil // without one the canary will tell
}
