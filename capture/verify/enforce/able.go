package enforce

import (
	"fmt"
	"os"

	"lxd-allowlist/capture/lxd"
)

// Able says why nobody can enforce anything on an instance of the server from
// here, nil if somebody can. Nothing is done to the instance before.
func Able(server *lxd.Server, instance string, strict bool) error {
	return able(instance, strict, server.Local(), os.Geteuid() == 0)
}

// able is [Able] of a server that is local to this host, or isn't, for root or
// somebody else. A member of the group lxd could have raw.dnsmasq hold names
// back from all of a bridge, but LXD shows dnsmasq's log to root alone, without
// which no report could say what was blocked.
func able(instance string, strict, local, root bool) error {
	why := ""
	switch {
	case !local:
		why = "its LXD is on another host, whose packet filter and dnsmasq's log can't be reached from here: run the program there, with sudo"
	case root:
		return nil
	case strict:
		why = "packets are refused by the host's packet filter, and never by dnsmasq; that takes root: run the program with sudo"
	default:
		why = "its queries are led to the program by the host's packet filter, which takes root; refusing names by raw.dnsmasq wouldn't, but what was refused stands in dnsmasq's log, and that is root's, too: run the program with sudo"
	}
	return fmt.Errorf("enforce a list on instance %s: %s", instance, why)
}
