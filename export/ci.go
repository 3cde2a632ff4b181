package export

import (
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"lxd-allowlist/export/rule"
)

var hardenRunner = Format{
	Name:      "harden-runner",
	Title:     "StepSecurity Harden-Runner, the first step of a GitHub job",
	Extension: "yaml",
	Exact:     "h:PORT for each port",
	Suffix:    "h:PORT and *.h:PORT, at any depth; of a wildcard's ports only the first counts",
	Hosts:     true,
	Load:      "put it first into the steps of a job; what GitHub and StepSecurity themselves need always passes",
	Ports:     true,
	Proven:    "no: its agent runs on GitHub's machines alone; what its file means is read in the source of agent 0.16",
	maxBytes:  120 << 10, // an environment variable has 128 KiB
	mark:      "#",
	port:      regexp.MustCompile(`\S:(\d+)\n`),
	encode:    encodeHardenRunner,
	decode:    decodeHardenRunner,
}

func encodeHardenRunner(f Format, c rule.Compiled, o Options) ([]byte, error) {
	p := headed(f, c)
	p.remarks(c.Rules())
	p.line("- uses: step-security/harden-runner@v2")
	p.line("  with:")
	p.line("    egress-policy: block")
	p.line("    allowed-endpoints: >")
	for _, r := range c.Rules() {
		for _, name := range starred([]rule.Rule{r}) {
			for _, port := range o.ports(r) {
				p.line("      %s:%d", name, port)
			}
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
		endpoints = append(endpoints, endpoint{name, int(number)})
	}
	names, err := hosts(endpoints)
	if err != nil {
		return nil, err
	}
	return unstarred(names)
}

var sandboxRuntime = Format{
	Name:      "sandbox-runtime",
	Title:     "Anthropic's sandbox-runtime (srt), settings that allow these names and no writing",
	Extension: "json",
	Exact:     "h",
	Suffix:    "h and *.h",
	Hosts:     true,
	Load:      "merge the network part into ~/.srt-settings.json, or name it with srt --settings FILE",
	Proven:    "asked in sandbox-runtime 0.0.83: its schema and its matching of names",
	limit:     sandboxLimit,
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

func encodeSandbox(_ Format, c rule.Compiled, _ Options) ([]byte, error) {
	var s sandboxSettings
	s.Network.AllowedDomains, s.Network.DeniedDomains = starred(c.Rules()), []string{}
	s.Filesystem.DenyRead, s.Filesystem.AllowWrite, s.Filesystem.DenyWrite = []string{}, []string{}, []string{}
	return marshal(s)
}

func decodeSandbox(data []byte) ([]rule.Rule, error) {
	s, err := unmarshal[sandboxSettings](data)
	if err != nil {
		return nil, err
	}
	return unstarred(s.Network.AllowedDomains)
}
