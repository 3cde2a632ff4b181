// Package psl asks the list of public suffixes, which golang.org/x/net has.
package psl

import (
	_ "embed"
	"strings"
	"sync"

	"golang.org/x/net/publicsuffix"
)

// PublicSuffix returns the public suffix of a normalised name, and whether it is a
// registry's, and not somebody's who lets out names below their own.
func PublicSuffix(name string) (suffix string, registry bool) {
	last := lastDomains.Get().(*lastDomain)
	defer lastDomains.Put(last)
	if last.above(name) {
		return name[len(name)-last.suffix:], last.registry
	}
	suffix, registry = askSuffix(name)
	last.remember(name, suffix, registry)
	return suffix, registry
}

// PlusOne returns a name's public suffix with the label before it, whoever could have
// registered that, and whether there is one.
func PlusOne(name string) (domain string, ok bool) {
	if strings.HasPrefix(name, ".") || strings.HasSuffix(name, ".") || strings.Contains(name, "..") {
		return "", false
	}
	suffix, _ := PublicSuffix(name)
	if len(suffix) >= len(name) {
		return "", false
	}
	return oneMore(name, suffix), true
}

// oneMore returns the suffix with the label before it.
func oneMore(name, suffix string) string {
	return name[strings.LastIndexByte(name[:len(name)-len(suffix)-1], '.')+1:]
}

// askSuffix is PublicSuffix that asks the library for each name, which takes it 0.2 µs
// and an allocation.
func askSuffix(name string) (suffix string, registry bool) {
	suffix, registry = publicsuffix.PublicSuffix(name)
	if registry && strings.Contains(suffix, ".") {
		// That is of the last node of the library's tree, which need be in no rule:
		// dualstack.us-east-1.amazonaws.com is none, but s3.dualstack below it is.
		_, registry = publicsuffix.PublicSuffix(suffix)
	}
	return suffix, registry
}

// lastDomain is a domain that somebody registered, whose public suffix that of all
// names below it is, too: names that are asked for in a row are mostly neighbours.
type lastDomain struct {
	name     string // "" for none
	suffix   int    // how long it is
	registry bool
}

// lastDomains has one for each goroutine that asks.
var lastDomains = sync.Pool{New: func() any { return new(lastDomain) }}

// above reports whether a name is the domain, or below it.
func (l *lastDomain) above(name string) bool {
	dot := len(name) - len(l.name) - 1
	return l.name != "" && strings.HasSuffix(name, l.name) && (dot < 0 || name[dot] == '.')
}

// remember notes the domain of a name, unless names below it may have other public
// suffixes, or be addresses, which are their own.
func (l *lastDomain) remember(name, suffix string, registry bool) {
	l.name = ""
	if len(suffix) >= len(name) || '0' <= name[len(name)-1] && name[len(name)-1] <= '9' {
		return
	}
	if domain := oneMore(name, suffix); !holders()[domain] {
		*l = lastDomain{domain, len(suffix), registry}
	}
}

//go:embed holders.txt
var holdersText string

// holders are the domains that are no public suffix and have some below them. The
// library doesn't tell them; its tests have its rules, and ours hold this to them.
var holders = sync.OnceValue(func() map[string]bool {
	all := make(map[string]bool)
	for name := range strings.Lines(holdersText) {
		all[strings.TrimSuffix(name, "\n")] = true
	}
	return all
})
