package cli

import (
	"context"
	"fmt"

	"lxd-allowlist/capture/lxd"
	"lxd-allowlist/capture/verify/enforce"
	"lxd-allowlist/export"
)

// rawDnsmasq is the format of what a bridge's dnsmasq is told.
const rawDnsmasq = "lxd-raw-dnsmasq"

// start puts the list in force, by the packet filter or by the bridge's dnsmasq,
// which holds less: what has no place there is said.
func (l *verifyList) start(ctx context.Context, server *lxd.Server, byBridge bool, c enforce.Config) (*enforce.Enforcement, error) {
	if !byBridge {
		return enforce.Start(ctx, server, c)
	}
	format, err := export.Lookup(rawDnsmasq)
	if err != nil {
		return nil, err
	}
	held, refused := format.Hold(l.held)
	for _, r := range refused {
		say(fmt.Sprintf("%s is not enforced: it %s", r.Rule, r.Why()))
	}
	say("not run by root: the bridge's dnsmasq is started anew and holds names back; a client that asks another resolver is not held")
	l.rules = held.Rules()
	c.Rules, c.Notes = l.rules, []string{"What gets past the bridge's dnsmasq: " + export.DnsmasqLeaks + "."}
	return enforce.StartBridge(ctx, server, c, func(denier string) []string { return export.DnsmasqLines(held, denier) })
}

// fallen says what became of a list that isn't in force any more.
func fallen(byBridge, learn bool) string {
	switch {
	case byBridge:
		return "the list may not be in force any more: somebody changed the bridge's configuration"
	case learn:
		return "queries are not seen any more: somebody took the packet filter's tables away"
	}
	return "the list is not in force any more: somebody took the packet filter's tables away"
}
