package enforce

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"strings"
	"time"

	"golang.org/x/net/dns/dnsmessage"
)

// versionPatience is how long dnsmasq may take to tell its version.
const versionPatience = time.Second

// VersionName is what [Enforcement.Resolver] asks dnsmasq for, whose log may
// show it.
const VersionName = "version.bind"

// Resolver returns the version of the bridge's dnsmasq, "dnsmasq 2.90", as it
// tells whoever asks for [VersionName] (dnsmasq(8), "CHAOS"); "" where it
// doesn't.
func (e *Enforcement) Resolver(ctx context.Context) string {
	ctx, cancel := context.WithTimeout(ctx, versionPatience)
	defer cancel()
	version, err := askVersion(ctx, netip.AddrPortFrom(e.plug.Bridge[0].Addr(), dnsPort))
	if err != nil {
		return ""
	}
	return strings.Replace(version, "-", " ", 1)
}

func askVersion(ctx context.Context, of netip.AddrPort) (string, error) {
	query := dnsmessage.Message{
		Header:    dnsmessage.Header{ID: 1},
		Questions: []dnsmessage.Question{{Name: dnsmessage.MustNewName(VersionName + "."), Type: dnsmessage.TypeTXT, Class: dnsmessage.ClassCHAOS}},
	}
	packet, err := query.Pack()
	if err != nil {
		return "", err
	}
	conn, err := new(net.Dialer).DialContext(ctx, "udp", of.String())
	if err != nil {
		return "", err
	}
	defer conn.Close()
	defer context.AfterFunc(ctx, func() { conn.SetDeadline(time.Now()) })()
	if _, err := conn.Write(packet); err != nil {
		return "", err
	}
	reply := make([]byte, 512)
	n, err := conn.Read(reply)
	if err != nil {
		return "", err
	}
	var m dnsmessage.Message
	if err := m.Unpack(reply[:n]); err != nil {
		return "", err
	}
	for _, a := range m.Answers {
		if t, ok := a.Body.(*dnsmessage.TXTResource); ok && len(t.TXT) > 0 {
			return t.TXT[0], nil
		}
	}
	return "", fmt.Errorf("%v tells no version", of)
}
