package lxd

import (
	"slices"
	"strings"
)

// stderrFacility has dnsmasq log to the file that LXD keeps for each network.
// Unlike a path of our own it can't vanish, and with it the network.
const stderrFacility = "-"

// withLogging returns raw.dnsmasq with query logging to facility. Of what was
// there only log-facility goes, which dnsmasq accepts once; whatever else is
// repeated, the last one wins or they agree.
func withLogging(raw, facility string) string {
	kept := slices.DeleteFunc(strings.SplitAfter(raw, "\n"), func(line string) bool {
		name, _ := option(line)
		return name == "log-facility"
	})
	merged := strings.Join(kept, "")
	if merged != "" && !strings.HasSuffix(merged, "\n") {
		merged += "\n"
	}
	return merged + logging(facility)
}

// logging is what withLogging adds.
func logging(facility string) string {
	return "log-queries=extra\nlog-facility=" + facility + "\nquiet-dhcp\nquiet-dhcp6"
}

// withoutLogging returns what is left of a raw.dnsmasq that somebody changed
// while it had our options: their change without these, and with the
// log-facility of the original, unless they set one themselves.
func withoutLogging(changed, original, facility string) string {
	before, after, ours := strings.Cut(changed, logging(facility))
	if !ours {
		return changed
	}
	theirs := before + strings.TrimPrefix(after, "\n")
	if strings.Contains(theirs, "log-facility") {
		return theirs
	}
	for line := range strings.Lines(original) {
		if name, _ := option(line); name == "log-facility" {
			theirs = strings.TrimSuffix(theirs, "\n") + "\n" + line
		}
	}
	return strings.TrimPrefix(theirs, "\n")
}

// disablesDNS reports whether the options have dnsmasq serve DHCP alone.
func disablesDNS(raw string) bool {
	disabled := false
	for line := range strings.Lines(raw) {
		if name, value := option(line); name == "port" {
			disabled = value == "0"
		}
	}
	return disabled
}

// option splits a line of dnsmasq's configuration.
func option(line string) (name, value string) {
	name, value, _ = strings.Cut(line, "=")
	value, _, _ = strings.Cut(value, " #")
	return strings.TrimSpace(name), strings.TrimSpace(value)
}
