// Command coredns is CoreDNS with no more plugins than its lists need. All of
// them take minutes to build. It is a module of its own, so that what CoreDNS
// requires is no business of the program's.
package main

import (
	"github.com/coredns/coredns/core/dnsserver"
	"github.com/coredns/coredns/coremain"

	_ "github.com/coredns/coredns/plugin/bind"
	_ "github.com/coredns/coredns/plugin/forward"
	_ "github.com/coredns/coredns/plugin/template"
	_ "github.com/coredns/coredns/plugin/view"
)

func main() {
	// In the order of CoreDNS's own plugin.cfg.
	dnsserver.Directives = []string{"bind", "template", "forward", "view"}
	coremain.Run()
}
