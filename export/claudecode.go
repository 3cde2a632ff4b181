package export

import (
	"errors"

	"lxd-allowlist/export/rule"
)

// Claude Code's sandbox is [sandboxRuntime], and its matcher is what decides.
// Without one of the two strict settings a name that isn't listed is asked for,
// or passes where nobody is asked (Claude Code's documentation, "Sandboxing" and
// "Settings").
var claudeCode = Format{
	Name:      "claude-code",
	Title:     "Claude Code, settings: sandboxed commands reach these names and no others",
	Extension: "json",
	Exact:     "h",
	Suffix:    "h and *.h",
	Address:   "192.0.2.7:443 or [2001:db8::7]:443, one at a port of TCP (sandbox-runtime 0.0.83 knows ports)",
	NoPattern: "its * stands for whole labels before a name, and not for a part of one",
	Hosts:     true,
	Load:      "for all users, as /etc/claude-code/managed-settings.json; for one, merged into ~/.claude/settings.json (Claude Code 2.1.219 or later, which knows strictAllowlist; the settings of a project can't be strict); it governs the commands that the sandbox runs, and not WebFetch, WebSearch, MCP servers and hooks",
	Proven:    "accepted by the schema, and asked in the matcher, of sandbox-runtime 0.0.83, the sandbox of Claude Code; not asked in Claude Code",
	limit:     sandboxLimit,
	address:   singleTCP,
	encode:    encodeClaudeCode,
	decode:    decodeClaudeCode,
}

type claudeSettings struct {
	Sandbox claudeSandbox `json:"sandbox"`
}

type claudeSandbox struct {
	Enabled                  bool `json:"enabled"`
	FailIfUnavailable        bool `json:"failIfUnavailable"` // else commands run without a sandbox where there is none
	AllowUnsandboxedCommands bool `json:"allowUnsandboxedCommands"`
	Network                  struct {
		AllowedDomains          []string `json:"allowedDomains"`
		AllowManagedDomainsOnly bool     `json:"allowManagedDomainsOnly"` // holds in managed settings alone
		StrictAllowlist         bool     `json:"strictAllowlist"`
	} `json:"network"`
}

func (s *claudeSettings) domains() *[]string { return &s.Sandbox.Network.AllowedDomains }

func encodeClaudeCode(_ Format, c rule.Compiled, _ Options) ([]byte, error) {
	s := claudeSettings{claudeSandbox{Enabled: true, FailIfUnavailable: true}}
	n := &s.Sandbox.Network
	n.AllowedDomains, n.AllowManagedDomainsOnly, n.StrictAllowlist = []string{}, true, true
	return marshalLong(s, sandboxDomains, withPorts(c.Rules()))
}

func decodeClaudeCode(data []byte) ([]rule.Rule, error) {
	s, err := unmarshalLong(data, sandboxDomains, (*claudeSettings).domains)
	if err != nil {
		return nil, err
	}
	if b := s.Sandbox; !b.Enabled || !b.FailIfUnavailable || b.AllowUnsandboxedCommands || !b.Network.StrictAllowlist {
		return nil, errors.New("commands may run without the sandbox, or go beyond the list")
	}
	return fromPorts(s.Sandbox.Network.AllowedDomains)
}
