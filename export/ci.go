package export

import (
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"lxd-allowlist/export/rule"
)

// The agent looks all names up that have no "*" before it blocks, and where it
// finds no IPv4 address for one of them it undoes everything and blocks nothing
// (agent.go of StepSecurity's agent 0.16, "Reverting agent since allowed
// endpoint"). "*" stands once, anywhere in a name, for any characters
// (matchWildcardDomain there).
var hardenRunner = Format{
	Name:      "harden-runner",
	Title:     "StepSecurity Harden-Runner, the first step of a GitHub job",
	Extension: "yaml",
	Exact:     "h:PORT for each port",
	Suffix:    "*.h:PORT, at any depth, and h:PORT where h itself is on the list; of a wildcard's ports only the first counts",
	NoAddress: "its agent looks each endpoint up by DNS, and opens everything where one isn't found",
	NoPattern: "its * stands for any characters, dots too, and not for digits alone",
	Hosts:     true,
	Load:      "put it first into the steps of a job; what GitHub and StepSecurity themselves need always passes; a name without an IPv4 address in public DNS opens everything, and the job is told so: Reverting agent since allowed endpoint",
	Ports:     true,
	NoUDP:     "its agent opens endpoints for TCP alone",
	Proven:    "by no software: its agent runs on GitHub's machines alone, and no registry of packages has it; what its file means is read in the source of agent 0.16, and a test holds the file to that",
	maxBytes:  120 << 10, // an environment variable has 128 KiB
	limit:     hardenLimit,
	mark:      "#",
	port:      regexp.MustCompile(`\S:(\d+)\n`),
	encode:    encodeHardenRunner,
	decode:    decodeHardenRunner,
}

// hardenLimit says of a name that the agent can't look up why it would open
// everything, "" of any other.
func hardenLimit(r rule.Rule) string {
	switch {
	case r.Suffix:
		return ""
	case !strings.Contains(r.Name, "."), strings.HasSuffix(r.Name, ".internal"), r.Absent():
		return "it blocks nothing once it finds no address in public DNS for a name"
	}
	return ""
}

func encodeHardenRunner(f Format, c rule.Compiled, o Options) ([]byte, error) {
	p := headed(f, c, o)
	p.remarks(c.Rules())
	p.line("- uses: step-security/harden-runner@v2")
	p.line("  with:")
	p.line("    egress-policy: block")
	p.line("    allowed-endpoints: >")
	add := func(r rule.Rule, name string) {
		for _, port := range o.ports(r) {
			p.line("      %s:%d", name, port)
		}
	}
	for _, r := range c.Rules() {
		if !r.Suffix || r.Apex {
			add(r, r.Name)
		}
		if r.Suffix {
			add(r, "*."+r.Name)
		}
	}
	return p.Bytes(), nil
}

func decodeHardenRunner(data []byte) ([]rule.Rule, error) {
	steps, err := yamlDocument[[]struct {
		Uses string
		With struct {
			Policy    string `yaml:"egress-policy"`
			Endpoints string `yaml:"allowed-endpoints"`
		}
	}](data)
	if err != nil {
		return nil, err
	}
	if len(steps) != 1 || steps[0].With.Policy != "block" {
		return nil, errors.New("not one step that blocks")
	}
	var endpoints []endpoint
	for _, e := range strings.Fields(steps[0].With.Endpoints) {
		name, port, _ := strings.Cut(e, ":")
		number, err := strconv.ParseUint(port, 10, 16)
		if err != nil {
			return nil, fmt.Errorf("an endpoint without its port: %q", e)
		}
		endpoints = append(endpoints, endpoint{Host: name, Port: int(number)})
	}
	names, err := hosts(endpoints)
	if err != nil {
		return nil, err
	}
	var rules []rule.Rule
	for _, name := range names {
		name, suffix := strings.CutPrefix(name, "*.")
		if last := len(rules) - 1; suffix && last >= 0 && rules[last] == (rule.Rule{Name: name}) {
			rules[last].Suffix, rules[last].Apex = true, true
			continue
		}
		rules = append(rules, rule.Rule{Name: name, Suffix: suffix, Below: suffix})
	}
	return rules, nil
}

var sandboxRuntime = Format{
	Name:      "sandbox-runtime",
	Title:     "Anthropic's sandbox-runtime (srt), settings that allow these names and no writing",
	Extension: "json",
	Exact:     "h",
	Suffix:    "h and *.h",
	Address:   "192.0.2.7:443 or [2001:db8::7]:443, one at a port of TCP (sandbox-runtime 0.0.83 knows ports)",
	NoPattern: "its * stands for whole labels before a name, and not for a part of one",
	Hosts:     true,
	Load:      "merge the network part into ~/.srt-settings.json, or name it with srt --settings FILE",
	Proven:    "asked in sandbox-runtime 0.0.83: its schema and its matching of names",
	limit:     sandboxLimit,
	address:   singleTCP,
	encode:    encodeSandbox,
	decode:    decodeSandbox,
}

// sandboxLimit says why sandbox-runtime takes no such name, "" if it does.
func sandboxLimit(r rule.Rule) string {
	if r.Name == "localhost" {
		return ""
	}
	return twoLabels(r)
}

type sandboxSettings struct {
	Network struct {
		AllowedDomains []string `json:"allowedDomains"`
		DeniedDomains  []string `json:"deniedDomains"`
	} `json:"network"`
	// Filesystem is what srt wants beside it; nothing may be written.
	Filesystem struct {
		DenyRead   []string `json:"denyRead"`
		AllowWrite []string `json:"allowWrite"`
		DenyWrite  []string `json:"denyWrite"`
	} `json:"filesystem"`
}

func (s *sandboxSettings) domains() *[]string { return &s.Network.AllowedDomains }

func encodeSandbox(_ Format, c rule.Compiled, _ Options) ([]byte, error) {
	var s sandboxSettings
	s.Network.AllowedDomains, s.Network.DeniedDomains = []string{}, []string{}
	s.Filesystem.DenyRead, s.Filesystem.AllowWrite, s.Filesystem.DenyWrite = []string{}, []string{}, []string{}
	return marshalLong(s, sandboxDomains, withPorts(c.Rules()))
}

// sandboxDomains is the key of the list, for Claude Code, too.
const sandboxDomains = "allowedDomains"

func decodeSandbox(data []byte) ([]rule.Rule, error) {
	s, err := unmarshalLong(data, sandboxDomains, (*sandboxSettings).domains)
	if err != nil {
		return nil, err
	}
	return fromPorts(s.Network.AllowedDomains)
}
