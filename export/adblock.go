package export

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"lxd-allowlist/export/rule"
)

var adguard = Format{
	Name:      "adguard",
	Title:     "AdGuard Home, filtering rules",
	Extension: "txt",
	Exact:     "@@|h^",
	Suffix:    "@@||h^",
	Load:      "add it as a DNS blocklist by its path or URL (as an allowlist it would allow everything), or paste it under custom filtering rules",
	Proven:    "asked in urlfilter 0.5, the engine of AdGuard Home",
	mark:      "!",
	encode:    encodeAdGuard,
	decode:    decodeAdGuard,
}

// adguardDeny blocks every name; a bare * blocks none.
const adguardDeny = "||*^"

func encodeAdGuard(f Format, c rule.Compiled, _ Options) ([]byte, error) {
	p := headed(f, c)
	p.line("%s", adguardDeny)
	for _, r := range c.Rules() {
		p.notes(r)
		if r.Suffix {
			p.line("@@||%s^", r.Name)
		} else {
			p.line("@@|%s^", r.Name)
		}
	}
	return p.Bytes(), nil
}

func decodeAdGuard(data []byte) ([]rule.Rule, error) {
	lines := slices.Collect(content(data, "!"))
	if len(lines) == 0 || lines[0] != adguardDeny {
		return nil, errors.New("all other names are not denied")
	}
	var rules []rule.Rule
	for _, line := range lines[1:] {
		name, suffix := between(line, "@@||", "^")
		if !suffix {
			var exact bool
			if name, exact = between(line, "@@|", "^"); !exact {
				return nil, fmt.Errorf("a line that says something else: %q", line)
			}
		}
		rules = append(rules, rule.Rule{Name: name, Suffix: suffix})
	}
	return rules, nil
}

var pihole = Format{
	Name:      "pihole",
	Title:     "Pi-hole 6, a script of its commands: all other names are denied",
	Extension: "sh",
	Exact:     "pihole allow h",
	Suffix:    `pihole --allow-regex '(^|\.)h$'`,
	Load:      "sh FILE, on the Pi-hole; the last command denies all that is not allowed",
	Proven:    unproven,
	limit:     twoLabels,
	mark:      "#",
	encode:    encodePihole,
	decode:    decodePihole,
}

// piholeStop ends the script with the first command that fails. On the first
// line it would be lost where the script is run as "sh FILE".
const piholeStop = "set -e"

const piholeDeny = "pihole --regex '.*'"

func encodePihole(f Format, c rule.Compiled, _ Options) ([]byte, error) {
	p := page{mark: f.mark}
	p.line("#!/bin/sh")
	p.head(f, c)
	p.line("%s", piholeStop)
	for _, r := range c.Rules() {
		p.notes(r)
		if r.Suffix {
			p.line(`pihole --allow-regex '(^|\.)%s$'`, regexp.QuoteMeta(r.Name))
		} else {
			p.line("pihole allow %s", r.Name)
		}
	}
	p.line("%s", piholeDeny)
	return p.Bytes(), nil
}

func decodePihole(data []byte) ([]rule.Rule, error) {
	lines := slices.Collect(content(data, "#"))
	last := len(lines) - 1
	if last < 1 || lines[0] != piholeStop || lines[last] != piholeDeny {
		return nil, errors.New("all other names are not denied")
	}
	var rules []rule.Rule
	for _, line := range lines[1:last] {
		name, exact := between(line, "pihole allow ", "")
		if !exact {
			quoted, suffix := between(line, `pihole --allow-regex '(^|\.)`, "$'")
			name = strings.ReplaceAll(quoted, `\.`, ".")
			if !suffix || regexp.QuoteMeta(name) != quoted {
				return nil, fmt.Errorf("a line that says something else: %q", line)
			}
		}
		rules = append(rules, rule.Rule{Name: name, Suffix: !exact})
	}
	return rules, nil
}
