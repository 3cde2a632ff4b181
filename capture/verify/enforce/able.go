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

// ByBridge reports whether [StartBridge] is the way to enforce a list on an
// instance of the server: for who isn't root on its host.
func ByBridge(server *lxd.Server) bool { return server.Local() && os.Geteuid() != 0 }

// able is [Able] of a server that is local to this host, or isn't, for root or
// somebody else.
func able(instance string, strict, local, root bool) error {
	why := ""
	switch {
	case !local:
		why = "its LXD is on another host, whose packet filter can't be reached from here, and whose dnsmasq can't ask this program: run the program there, with sudo"
	case root:
		return nil
	case strict:
		why = "packets are refused by the host's packet filter, and never by dnsmasq; that takes root: run the program with sudo"
	default:
		why = fmt.Sprintf("its queries are led to the program by the host's packet filter, which takes root; the bridge's dnsmasq can refuse names without, is started anew for each change of the list, and does it for one list on a bridge that is the instance's alone: lxd-allowlist verify %s LIST -- COMMAND; for all else run the program with sudo", instance)
	}
	return fmt.Errorf("enforce a list on instance %s: %s", instance, why)
}
