package export

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"lxd-allowlist/export/rule"
	"lxd-allowlist/parse"
)

// Format is one kind of file. Encode and Decode are pure.
type Format struct {
	Name      string // on the command line
	Title     string // for people
	Extension string // of a file's name, without the dot

	Exact, Suffix string // what becomes of such a rule there
	Address       string // and of an address with a port; "" where it holds names alone
	Pattern       string // and of names that differ by a number or a region; "" where what was seen of them stands in its place
	// NoAddress and NoPattern say why there is no place for any; "" where there is.
	NoAddress, NoPattern string
	// Widens says what an exact rule means to a target that can't say
	// "exact"; "" where it can. The file says so, too.
	Widens string
	Load   string // how the target is made to use the file
	Check  string // how the file is checked before that; "" if there is no way
	// Hosts says that the target looks at who is connected to, and not at DNS
	// queries: names that are only looked up, the owners of SRV records and
	// their like, have no place there.
	Hosts bool
	Ports bool // the file names ports: those of [Options]
	// NoUDP says why the ports of names are TCP's alone; "" where they may be
	// UDP's, and where there are none.
	NoUDP string
	// Proven says which software was seen to do with the file what the rules
	// say, "no" and why if none was. The file says so, too.
	Proven string

	// What the target takes at most, 0 for no bound: bytes of an exact rule's
	// name and of a suffix's, rules, bytes of the file, the number of a port.
	maxExact, maxSuffix, maxRules, maxBytes, maxPort int
	// evidence says that the file has what was observed of each rule.
	evidence bool
	// needsRule says that an empty list means "allow all" there, or nothing.
	needsRule bool
	// mark is what a comment begins with, "" where there are none. usage are
	// comments on top that say how the target is made to use the file.
	mark  string
	usage []string
	// asides says that patterns stand in comments, or addresses: see [takeAside].
	asides bool
	// port finds the ports that the file names, nil where it names none: by its
	// first group, or by "number" and, where there is one, "protocol".
	port *regexp.Regexp
	// limit says why this target can't hold a rule about a name that passed
	// [Compile], address an address where there is Address, pattern a pattern where
	// there is Pattern; "" if it can. They may be nil.
	limit   func(rule.Rule) string
	address func(rule.Endpoint) string
	pattern func(rule.Pattern) string
	encode  func(Format, rule.Compiled, Options) ([]byte, error)
	// decode is nil where nobody knows how to read the file. byLine says that the
	// file has a line for each rule, in the order of [rule.Compiled.ByLine], and that
	// it reads each by itself, and so a part of the file, too.
	decode func([]byte) ([]rule.Rule, error)
	byLine bool
}

// unproven is said of formats whose software no test of ours could run.
const unproven = "by no software: written from the documentation alone, and read back by our own reader"

// formats are all formats, in the order in which they are shown.
var formats = []Format{
	plain, squid, jsonFormat, csvFormat, yamlFormat, markdown,
	dnsmasq, lxdRawDnsmasq, dnsmasqNftset, rpz, unbound, knot, coredns, dnsdist, dnscrypt,
	haproxy, nginx, tinyproxy, privoxy, smokescreen,
	adguard, pihole,
	cilium, istio, envoy, openshift, gke,
	awsNFW, awsNFWTerraform, route53, azure, gcp,
	paloAlto, fortiGate,
	hardenRunner, githubFirewall,
	claudeCode, codex, sandboxRuntime, openshell,
}

// Formats returns all formats, the most wanted first.
func Formats() []Format { return slices.Clone(formats) }

// Lookup returns the format of that name.
func Lookup(name string) (Format, error) {
	var names []string
	for _, f := range formats {
		if f.Name == name {
			return f, nil
		}
		names = append(names, f.Name)
	}
	return Format{}, fmt.Errorf("no format %q: there are %s", name, strings.Join(names, ", "))
}

// ReadsBack reports whether Decode can read what Encode writes: all formats
// can but templates.
func (f Format) ReadsBack() bool { return f.decode != nil }

// Evidence reports whether the file says what was observed of each rule: a list
// for another may be without it.
func (f Format) Evidence() bool { return f.evidence }

// RefusesEmpty reports whether a list without a rule can't be written: the
// target would take it for "allow all", or not at all.
func (f Format) RefusesEmpty() bool { return f.needsRule }

// Limits says what the target takes at most, as far as it is less than what a
// list can hold; "" if it isn't.
func (f Format) Limits() string {
	var all []string
	for _, l := range []struct {
		words string
		most  int
	}{
		{"exact names of %d bytes", f.maxExact}, {"suffixes of %d bytes", f.maxSuffix}, {"%d rules", f.maxRules},
		{"a file of %d bytes", f.maxBytes}, {"ports up to %d", f.maxPort},
	} {
		if l.most > 0 {
			all = append(all, fmt.Sprintf(l.words, l.most))
		}
	}
	if f.needsRule {
		all = append(all, "no list without a rule")
	}
	return strings.Join(all, ", ")
}

// Encode returns the file. It fails for rules that the target can't hold.
func (f Format) Encode(c rule.Compiled, o Options) ([]byte, error) {
	c, err := f.fit(c)
	if err == nil {
		err = f.takes(c, o)
	}
	if err != nil {
		return nil, err
	}
	return f.encode(f, c, o)
}

// Decode reads the rules back out of a file that Encode made, in the meaning
// that the target gives them. What Encode would not write is an error. Names and all
// else are parts of the data, which is not to be changed any more.
func (f Format) Decode(data []byte) ([]rule.Rule, error) {
	if !f.ReadsBack() {
		return nil, fmt.Errorf("read %s: nobody knows what its file means; choose another format", f.Name)
	}
	rules, err := f.decode(data)
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", f.Name, oneLineError{err})
	}
	return rules, nil
}

// Hold parts the rules into those that the target holds, as it will hold
// them, and those that it can't.
func (f Format) Hold(c rule.Compiled) (rule.Compiled, []rule.Refused) {
	var refused []rule.Refused
	if c.HasEndpoints() {
		c, refused = c.Hold(f.noAddress)
	}
	if c.HasPatterns() {
		var patterns []rule.Refused
		c, patterns = f.holdPatterns(c)
		refused = append(refused, patterns...)
	}
	if f.Widens != "" {
		var narrow []rule.Refused
		c, narrow = c.Widen()
		for i := range narrow {
			narrow[i].Reason = "it can't be exact there, and " + narrow[i].Reason
		}
		refused = append(refused, narrow...)
	}
	addresses := c.HasEndpoints()
	c, more := c.Hold(func(r rule.Rule) string {
		if addresses {
			if _, is := r.Endpoint(); is {
				return ""
			}
		}
		why := f.noHost(r)
		if why == "" {
			why = f.tooLong(r)
		}
		if why == "" && f.limit != nil {
			why = f.limit(r)
		}
		return why
	})
	refused = append(refused, more...)
	for i := range refused {
		refused[i].Target = f.Name
	}
	return c, refused
}

// noAddress says why a rule about an address has no place there, "" for others
// and where it has.
func (f Format) noAddress(r rule.Rule) string {
	at, is := r.Endpoint()
	switch {
	case is && f.Address == "":
		return cmp.Or(f.NoAddress, "it holds no addresses")
	case is && f.address != nil:
		return f.address(at)
	}
	return ""
}

// noPattern says why a pattern has no place there, "" if it has.
func (f Format) noPattern(p rule.Pattern) string {
	switch {
	case f.Pattern == "":
		return cmp.Or(f.NoPattern, "it holds no patterns")
	case f.pattern != nil:
		return f.pattern(p)
	}
	return ""
}

// holdPatterns refuses patterns that there is no place for: in theirs stands what
// was seen of each, which the list has beside them.
func (f Format) holdPatterns(c rule.Compiled) (rule.Compiled, []rule.Refused) {
	rules := c.Rules()
	return c.Hold(func(r rule.Rule) string {
		p, is := r.Pattern()
		if !is {
			return ""
		}
		why := f.noPattern(p)
		if why == "" {
			return ""
		}
		matches, n := p.Matcher(), 0
		for _, seen := range rules {
			if !seen.Suffix && matches(seen.Name) {
				n++
			}
		}
		return fmt.Sprintf("%s, and it lists the %d names that were seen of it", why, n)
	})
}

// noHost says why the target of a rule is never connected to, "" if it may be.
func (f Format) noHost(r rule.Rule) string {
	if f.Hosts && !r.Suffix && strings.Contains(r.Name, "_") && parse.SpecialUse([]byte(r.Name)) == parse.Service {
		return "it is looked up, and no host to connect to"
	}
	return ""
}

// tooLong says why a name is too long for the target, "" if it isn't.
func (f Format) tooLong(r rule.Rule) string {
	most := f.maxExact
	if r.Suffix {
		most = f.maxSuffix
	}
	if most > 0 && len(r.Name) > most {
		return fmt.Sprintf("it takes names of %d bytes at most", most)
	}
	return ""
}

// fit returns the rules as the target can hold them.
func (f Format) fit(c rule.Compiled) (rule.Compiled, error) {
	c, refused := f.Hold(c)
	if len(refused) > 0 {
		r := refused[0]
		return rule.Compiled{}, fmt.Errorf("%s %s; drop it or choose another format", r.Rule.Name, r.Why())
	}
	return c, nil
}

// takes says why the target doesn't take a list of which it holds each rule.
func (f Format) takes(c rule.Compiled, o Options) error {
	if i := slices.IndexFunc(o.Ports, func(p int) bool { return p < 1 || p > 65535 }); i >= 0 {
		return fmt.Errorf("%s: %d is no port; name ports from 1 to 65535", f.Name, o.Ports[i])
	}
	if i := slices.IndexFunc(o.Ports, func(p int) bool { return f.maxPort > 0 && p > f.maxPort }); i >= 0 {
		return fmt.Errorf("%s: it takes no port above %d, and %d is one; leave it out", f.Name, f.maxPort, o.Ports[i])
	}
	if len(o.Ports) == 0 && f.Ports && f.maxPort > 0 {
		for _, p := range o.ports(c.Rules()...) {
			if p > f.maxPort {
				return fmt.Errorf("%s: it takes no port above %d, and %d was connected to; name the ports with --ports", f.Name, f.maxPort, p)
			}
		}
	}
	if f.needsRule && c.Len() == 0 {
		return fmt.Errorf("%s can't hold a list without a rule; keep a name or choose another format", f.Name)
	}
	if f.maxRules > 0 && c.Len() > f.maxRules {
		return fmt.Errorf("%s: it takes %d rules and the list has %d; use suffixes, or several lists", f.Name, f.maxRules, c.Len())
	}
	return nil
}

// Render returns the file after it was read back and held against the rules:
// a file that says anything else is never handed out. What can't be read back
// can't be held against anything either.
func Render(f Format, c rule.Compiled, o Options) ([]byte, error) {
	c, err := f.fit(c)
	if err != nil {
		return nil, err
	}
	data, _, err := f.render(c, o)
	return data, err
}

// render is Render of rules that the target holds, and returns what was read
// back, too, where it was read in one go.
func (f Format) render(c rule.Compiled, o Options) (data []byte, got []rule.Rule, err error) {
	if err := f.takes(c, o); err != nil {
		return nil, nil, err
	}
	if data, err = f.encode(f, c, o); err != nil {
		return nil, nil, err
	}
	if f.maxBytes > 0 && len(data) > f.maxBytes {
		return nil, nil, fmt.Errorf("%s: the file has %d bytes and the target takes %d; use suffixes, or several lists", f.Name, len(data), f.maxBytes)
	}
	if !f.ReadsBack() || f.byLine && f.says(data, c.Rules()) {
		return data, nil, nil
	}
	if got, err = f.Decode(data); err != nil {
		return nil, nil, fmt.Errorf("%s: the file made can't be read back: %w; nothing was written", f.Name, err)
	}
	if diff := rule.Difference(got, c.Rules()); diff != "" {
		return nil, nil, fmt.Errorf("%s: the file made doesn't say what the rules do: %s; nothing was written", f.Name, diff)
	}
	return data, got, nil
}
