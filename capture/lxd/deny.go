package lxd

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/url"
	"path"
	"slices"
	"strings"

	"github.com/canonical/lxd/shared/api"
)

// denyTag ends our lines that hold names back, so that each of them is told
// from others' whatever becomes of the lines around it.
const denyTag = " # " + programName

// denyHeader is the comment above them.
const denyHeader = mark + "what follows holds names back while a list is enforced, and goes with it"

// withDenying returns raw.dnsmasq with lines that hold names back.
func withDenying(raw string, lines []string) string {
	var b strings.Builder
	b.WriteString(raw)
	if raw != "" && !strings.HasSuffix(raw, "\n") {
		b.WriteByte('\n')
	}
	b.WriteString(denyHeader)
	for _, line := range lines {
		b.WriteString("\n" + line + denyTag)
	}
	return b.String()
}

// Deny takes the lease of a managed bridge that nobody but an instance uses, and
// adds lines to its raw.dnsmasq that hold names back. It takes neither root nor
// dnsmasq's log. Where it fails the network is as it was.
func (s *Server) Deny(ctx context.Context, instance, network string, lines []string) (*Lease, error) {
	l := s.newLease(network)
	l.only = instance
	err := l.lock(ctx)
	if err == nil {
		err = l.set(ctx, withDenying(l.replaced.raw, lines), "", "hold names back on")
		if err != nil && strings.Contains(err.Error(), "bad option") {
			err = fmt.Errorf("%w: raw.dnsmasq was broken before, or this dnsmasq is older than 2.86", err)
		}
	}
	if err = l.orRelease(ctx, err); err != nil {
		return nil, err
	}
	return l, nil
}

// AtWork returns an error if somebody enforces a list on an instance by the
// packet filter, or makes trials with it: with its names held back they would
// find out about another list than theirs.
func (s *Server) AtWork(ctx context.Context, instance string) error {
	i, err := s.instance(ctx, instance)
	if err != nil {
		return err
	}
	return errors.Join(enforcedBy(instance, i.Config), triedBy(instance, i.Config, false))
}

// Sharing returns who else has come onto the bridge of a [Server.Deny]. Its
// errors are those of [Lease.Check].
func (l *Lease) Sharing(ctx context.Context) (others []string, err error) {
	n, _, err := getNetwork(ctx, l.server.networks(), l.network)
	if err != nil {
		return nil, networkError("read", l.network, err)
	}
	return l.sharing(n), l.stands(n)
}

// deniable returns why names can't be held back from an instance alone by a
// bridge's dnsmasq, nil if they can.
func (l *Lease) deniable(n *api.Network) error {
	why := ""
	switch others := l.sharing(n); {
	case len(n.Locations) > 1:
		why = "it is in a cluster, where each member has a dnsmasq that can't reach this program"
	case n.Config["dns.mode"] == "none":
		why = "dns.mode is none, so that its dnsmasq doesn't know the instances by name"
	case n.Config["bridge.external_interfaces"] != "":
		why = "bridge.external_interfaces joins it with others (" + n.Config["bridge.external_interfaces"] + "), who would be held, too"
	case len(others) > 0:
		why = "it is not the instance's alone, and these would be held, too: " + strings.Join(others, ", ")
	default:
		line, opens := opening(n.Config[rawKey])
		if !opens {
			return nil
		}
		why = fmt.Sprintf("raw.dnsmasq has the line %q, by which names may be reached that the list doesn't have, or in another way: take it out meanwhile", line)
	}
	return fmt.Errorf("hold names back on network %s: %s", n.Name, why)
}

// sharing returns who uses a network beside the one instance, as far as LXD
// tells this client: "web", "mail in project p". A profile isn't on a bridge
// itself; instances that have it are told, too.
func (l *Lease) sharing(n *api.Network) (others []string) {
	for _, by := range n.UsedBy {
		u, err := url.Parse(by)
		if err != nil {
			others = append(others, by)
			continue
		}
		project := cmp.Or(u.Query().Get("project"), defaultProject)
		name, kind := path.Base(u.Path), path.Base(path.Dir(u.Path))
		switch {
		case kind == "profiles", kind == "instances" && name == l.only && project == l.server.project:
			continue
		case kind != "instances":
			name = strings.TrimSuffix(kind, "s") + " " + name
		}
		if project != l.server.project {
			name += " in project " + project
		}
		others = append(others, name)
	}
	slices.Sort(others)
	return others
}

// harmless are the options of dnsmasq that neither have it answer a name by
// itself nor ask a server of some names alone, and don't include others: beside
// them the lines that hold names back mean what they say. Those that begin with
// log-, quiet- or dhcp- are harmless, too.
var harmless = []string{
	"all-servers", "bogus-priv", "cache-size", "dns-forward-max", "domain-needed", "edns-packet-max", "enable-ra", "fast-dns-retry",
	"filter-A", "filter-AAAA", "local-ttl", "max-cache-ttl", "max-port", "max-ttl", "min-cache-ttl", "min-port", "neg-ttl", "no-hosts",
	"no-negcache", "no-poll", "no-resolv", "port", "port-limit", "query-port", "ra-param", "rebind-localhost-ok", "resolv-file",
	"stop-dns-rebind", "strict-order",
}

// opening returns the first line of a raw.dnsmasq that isn't known to be
// [harmless].
func opening(raw string) (line string, opens bool) {
	for line := range strings.Lines(raw) {
		line = strings.TrimSpace(line)
		name, value := option(line)
		switch {
		case line == "", strings.HasPrefix(line, "#"), slices.Contains(harmless, name):
		case strings.HasPrefix(name, "log-"), strings.HasPrefix(name, "quiet-"), strings.HasPrefix(name, "dhcp-"):
		case name == "server" && value != "" && !strings.Contains(value, "/"): // of all names
		default:
			return line, true
		}
	}
	return "", false
}
