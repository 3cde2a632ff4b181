package export

import (
	"errors"
	"fmt"
	"strings"

	"lxd-allowlist/export/rule"
)

// A profile says what may be reached; what enforces it is a proxy, which is a
// feature of its own: without it a profile with a network opens all of it.
// "*.h" would be what is below h alone (Codex's documentation, "Permissions",
// and the proxy's DomainPattern).
var codex = Format{
	Name:      "codex",
	Title:     "Codex, a permission profile: commands reach these names and no others",
	Extension: "toml",
	Exact:     `"h" = "allow"`,
	Suffix:    `"**.h" = "allow"`,
	Address:   `"192.0.2.7" = "allow", one at 443/tcp; it opens what a name opens, plain HTTP to it, too (asked in Codex 0.171)`,
	NoPattern: "its * and ? stand for any characters, and it refuses brackets and braces",
	Hosts:     true,
	Load:      "merge into ~/.codex/config.toml; [features] network_proxy must stay on, or the profile opens the whole network; a session with somebody at it may ask to go beyond the list; names that lead to private addresses stay closed unless allow_local_binding = true",
	Check:     "codex sandbox -P lxd-allowlist -- curl -sI https://NAME",
	Proven:    "asked in Codex 0.171",
	maxRules:  5000,         // 4 s to start with, and four times that with twice as many
	limit:     innerHyphens, // its proxy answers 400 to them
	address:   ipv4At443,
	mark:      "#",
	encode:    encodeCodex,
	decode:    decodeCodex,
}

const codexBegin = `default_permissions = "lxd-allowlist"
[features]
network_proxy = true
[permissions.lxd-allowlist]
extends = ":workspace"
[permissions.lxd-allowlist.network]
enabled = true
[permissions.lxd-allowlist.network.domains]
`

func encodeCodex(f Format, c rule.Compiled, o Options) ([]byte, error) {
	p := headed(f, c, o)
	p.WriteString(codexBegin)
	for _, r := range c.Rules() {
		p.notesBeside(r)
		name := asHost(r).Name
		if r.Suffix {
			name = "**." + name
		}
		p.line(`%s = "allow"`, quoted(name))
	}
	return p.Bytes(), nil
}

func decodeCodex(data []byte) ([]rule.Rule, error) {
	var text strings.Builder
	for line := range content(data, "#") {
		text.WriteString(line + "\n")
	}
	list, ok := strings.CutPrefix(text.String(), codexBegin)
	if !ok {
		return nil, errors.New("the profile, or the proxy that enforces it, is not there")
	}
	var rules []rule.Rule
	for line := range strings.Lines(list) {
		name, ok := between(line, `"`, "\" = \"allow\"\n")
		if !ok || strings.Contains(name, `"`) {
			return nil, fmt.Errorf("a line that says something else: %q", line)
		}
		name, suffix := strings.CutPrefix(name, "**.")
		rules = append(rules, rule.Rule{Name: name, Suffix: suffix})
	}
	return fromHosts(rules, nil)
}
