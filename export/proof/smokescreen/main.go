// Command smokescreen is Smokescreen for clients without certificates, as
// allow_missing_role has it. It is a module of its own, so that what Smokescreen
// requires is no business of the program's.
package main

import (
	"log"
	"net/http"

	"github.com/stripe/smokescreen/cmd"
	"github.com/stripe/smokescreen/pkg/smokescreen"
)

func main() {
	config, err := cmd.NewConfiguration(nil, nil)
	if err != nil {
		log.Fatal(err)
	}
	config.AllowMissingRole = true
	config.RoleFromRequest = func(*http.Request) (string, error) {
		return "", smokescreen.MissingRoleError("no client has one")
	}
	smokescreen.StartWithConfig(config, nil)
}
