package lxd

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net/netip"
	"slices"
	"strings"
)

// Resolver is where an instance sends its queries, as resolv.conf(5) has it.
type Resolver struct {
	Servers []netip.Addr
	Search  []string // domains that are put behind names
}

// Resolver reads an instance's resolv.conf through LXD, and where that leads to
// systemd-resolved in the instance, the one behind it. An instance without one
// has an empty Resolver.
func (s *Server) Resolver(ctx context.Context, instance string) (Resolver, error) {
	var found Resolver
	for _, path := range []string{"/etc/resolv.conf", "/run/systemd/resolve/resolv.conf"} {
		text, err := s.readFile(ctx, instance, path)
		if IsGone(err) {
			continue
		}
		if err != nil {
			return Resolver{}, fmt.Errorf("read %s of %s: %w", path, instance, err)
		}
		found = readResolver(text)
		if !slices.Contains(found.Servers, netip.AddrFrom4([4]byte{127, 0, 0, 53})) {
			break
		}
	}
	return found, nil
}

// maxResolver bounds what is read of a file that the instance's root writes.
const maxResolver = 64 << 10

func (s *Server) readFile(ctx context.Context, instance, path string) (string, error) {
	return await(ctx, func() (string, error) {
		content, _, err := s.client.GetInstanceFile(instance, path)
		if err != nil {
			return "", err
		}
		if content == nil { // a directory
			return "", nil
		}
		defer content.Close()
		data, err := io.ReadAll(io.LimitReader(content, maxResolver))
		return string(data), err
	})
}

func readResolver(text string) (r Resolver) {
	for lines := bufio.NewScanner(strings.NewReader(text)); lines.Scan(); {
		words := strings.Fields(lines.Text())
		if len(words) < 2 {
			continue
		}
		switch words[0] {
		case "nameserver":
			if a, err := netip.ParseAddr(words[1]); err == nil {
				r.Servers = append(r.Servers, a.WithZone(""))
			}
		case "search", "domain": // the last one counts
			r.Search = nil
			for _, domain := range words[1:] {
				if domain = strings.ToLower(strings.Trim(domain, ".")); domain != "" {
					r.Search = append(r.Search, domain)
				}
			}
		}
	}
	return r
}
