package e2e

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/quic-go/quic-go"
)

// What the test's binary is called as in an instance, where it is an application.
const application = "/application"

// install puts the test's binary into an instance, with the libraries that it
// is linked with.
func install(t *testing.T, instance string) {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	const copied = `tar -chPf - --transform "s|^$1$|` + application + `|" "$1" $(ldd "$1" | grep -o '/[^ ]*') | lxc exec -T "$2" -- tar -xf - -C /`
	if out, err := exec.Command("sh", "-c", copied, "sh", self, instance).CombinedOutput(); err != nil {
		t.Fatalf("copy %s into %s: %v: %s", self, instance, err, out)
	}
}

// apply is the application. It returns its exit code: 3 for what it couldn't do.
func apply(verb string, args []string) int {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	err := awaitIPv6(ctx)
	if err == nil {
		switch verb {
		case "need":
			err = need(ctx, args)
		case "ask":
			err = askOn(args)
		case "leave":
			err = leave(ctx, args)
		case "download": // which ends by what happens to it alone
			err = download(context.Background(), args[0])
		}
	}
	if err != nil {
		fmt.Println(err)
		return 3
	}
	return 0
}

// awaitIPv6 waits for an address of the bridge's.
func awaitIPv6(ctx context.Context) error {
	again := time.NewTicker(50 * time.Millisecond)
	defer again.Stop()
	for {
		if c, err := net.Dial("udp6", netip.AddrPortFrom(numbered(6, markHost), 9).String()); err == nil {
			c.Close()
			if c.LocalAddr().(*net.UDPAddr).IP.IsGlobalUnicast() {
				return nil
			}
		}
		select {
		case <-again.C:
		case <-ctx.Done():
			return errors.New("it got no IPv6 address")
		}
	}
}

// need has something by each of the ways that it is told, one after another, such
// as "quic/6/host14.example.test": the kind, the family, the name. What fails, or
// takes longer than the time that it is told first, it tries once more.
func need(ctx context.Context, args []string) error {
	most, err := time.ParseDuration(args[0])
	if err != nil {
		return err
	}
	for _, way := range args[1:] {
		parts := strings.Split(way, "/")
		family, _ := strconv.Atoi(parts[1])
		has := func() error {
			ctx, cancel := context.WithTimeout(ctx, most)
			defer cancel()
			if parts[0] == "txt" {
				return isLong(ctx, parts[2])
			}
			return fetch(ctx, parts[0], family, parts[2], wordPath, func(string) error { return nil })
		}
		if has() == nil {
			continue
		}
		if err := has(); err != nil {
			return fmt.Errorf("%s: %w", way, err)
		}
	}
	return nil
}

// isLong asks for what is too long for an answer by UDP.
func isLong(ctx context.Context, name string) error {
	r := net.Resolver{PreferGo: true}
	all, err := r.LookupTXT(ctx, name+".")
	if got := len(strings.Join(all, "")); err == nil && got != longText {
		err = fmt.Errorf("%d bytes, not %d", got, longText)
	}
	return err
}

// fetch connects to a name, or an address, and calls each with all lines that
// the server has under a path.
func fetch(ctx context.Context, kind string, family int, name, path string, each func(line string) error) error {
	at, err := netip.ParseAddr(name)
	if err != nil {
		r := net.Resolver{PreferGo: true}
		all, err := r.LookupNetIP(ctx, fmt.Sprint("ip", family), name+".")
		if err != nil {
			return err
		}
		at = all[0]
	}
	// Who a server is makes no difference to where packets go.
	conf := &tls.Config{ServerName: name, InsecureSkipVerify: true, NextProtos: []string{"test"}}
	var body io.Reader
	if kind == "quic" {
		c, err := quic.DialAddr(ctx, netip.AddrPortFrom(at, 443).String(), conf, &quic.Config{HandshakeIdleTimeout: patience, KeepAlivePeriod: time.Second})
		if err != nil {
			return err
		}
		defer func() { _ = c.CloseWithError(0, "") }()
		s, err := c.OpenStreamSync(ctx)
		if err != nil {
			return err
		}
		if _, err = io.WriteString(s, path); err == nil {
			err = s.Close() // it has no more to say
		}
		if err != nil {
			return err
		}
		body = s
	} else {
		conf.NextProtos = nil
		tr := &http.Transport{DisableKeepAlives: true, TLSClientConfig: conf, DialContext: func(ctx context.Context, _, address string) (net.Conn, error) {
			_, port, err := net.SplitHostPort(address)
			if err != nil {
				return nil, err
			}
			return new(net.Dialer).DialContext(ctx, "tcp", net.JoinHostPort(at.String(), port))
		}}
		host := name
		if family == 6 && at.String() == name {
			host = "[" + name + "]"
		}
		r, err := http.NewRequestWithContext(ctx, http.MethodGet, kind+"://"+host+path, nil)
		if err != nil {
			return err
		}
		reply, err := tr.RoundTrip(r)
		if err != nil {
			return err
		}
		defer reply.Body.Close()
		body = reply.Body
	}
	lines := 0
	for in := bufio.NewReader(body); ; lines++ {
		line, err := in.ReadString('\n')
		if err == io.EOF && lines > 0 {
			return nil
		}
		if err == nil {
			err = each(line)
		}
		if err != nil {
			return err
		}
	}
}

// download has three downloads of a name at a time, and prints how many are as
// far as each of the lines that they have.
func download(ctx context.Context, name string) error {
	var mu sync.Mutex
	reached := make(map[string]int)
	far := func(line string) error {
		mu.Lock()
		defer mu.Unlock()
		reached[line]++
		fmt.Printf("%d of 3 %s", reached[line], line)
		return nil
	}
	failed := make([]error, len(kinds))
	var all sync.WaitGroup
	for i, kind := range kinds {
		all.Go(func() { failed[i] = fetch(ctx, kind, []int{4, 6, 4}[i], name, downloadPath, far) })
	}
	all.Wait()
	err := errors.Join(failed...)
	if err != nil {
		fmt.Println("not all of it")
	}
	return err
}

// askOn asks name servers for the address of a name, one query after another,
// and connects to it now and then, until its input ends. It fails where an
// answer was wrong, late or missing.
func askOn(args []string) error {
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_, _ = io.Copy(io.Discard, os.Stdin)
	}()
	name, servers := args[0], args[1:]
	right, failures := 0, []error(nil)
	for i := 0; ; i++ {
		select {
		case <-ended:
			fmt.Printf("%d right, %d wrong\n", right, len(failures))
			return errors.Join(failures[:min(len(failures), 3)]...)
		default:
		}
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		r := net.Resolver{PreferGo: true, Dial: func(ctx context.Context, network, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, network, net.JoinHostPort(servers[i%len(servers)], "53"))
		}}
		all, err := r.LookupNetIP(ctx, "ip4", name+".")
		if err == nil && !slices.Equal(all, []netip.Addr{numbered(4, 77)}) {
			err = fmt.Errorf("%s has %v", name, all)
		}
		if err == nil && i%100 < len(kinds) {
			err = fetch(ctx, kinds[i%100], []int{4, 6}[i/100%2], numbered([]int{4, 6}[i/100%2], 77).String(), wordPath, func(string) error { return nil })
		}
		cancel()
		if err != nil {
			failures = append(failures, err)
		} else {
			right++
		}
	}
}
