// Lxd-allowlist finds every domain that an application needs: it has a
// managed LXD bridge's dnsmasq log its queries while the application is used
// in an instance, and turns what was asked for into an allow-list.
package main

import (
	"os"

	"lxd-allowlist/ui/cli"
)

// version is set by the linker.
var version = "unreleased"

func main() { os.Exit(cli.Main(version)) }
