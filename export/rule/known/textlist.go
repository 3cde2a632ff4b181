package known

import (
	"errors"
	"fmt"
	"io/fs"
	"net/netip"
	"regexp"
	"slices"
	"strings"

	"lxd-allowlist/parse"
)

// readText reads, line by line, what lists of names are written in:
//
//	domain-list-community   domain:NAME, full:NAME, keyword:WORD, regexp:RE,
//	                        each with @ATTRIBUTE and &LIST; include:FILE
//	                        with @ATTRIBUTE and @-ATTRIBUTE; NAME is domain:NAME
//	hosts files             ADDRESS NAME...
//	plain lists             NAME, .NAME, *.NAME, an address, a network
//
// A comment begins with # anywhere. The first is described at
// https://github.com/v2fly/domain-list-community, hosts files in hosts(5).
func (p *parsed) readText(text string) {
	n := 0
	for line := range strings.Lines(text) {
		n++
		line, _, _ = strings.Cut(line, "#")
		line = strings.TrimSpace(line)
		fields := strings.Fields(line)
		switch {
		case len(fields) == 0:
		case isAddress(fields[0]) && len(fields) > 1:
			p.readHosts(line, fields, n)
		default:
			p.readDomain(line, fields, n)
		}
	}
}

// isAddress reports whether a field is an address or a network.
func isAddress(field string) bool {
	if _, err := netip.ParseAddr(field); err == nil {
		return true
	}
	_, err := netip.ParsePrefix(field)
	return err == nil
}

func (p *parsed) readHosts(text string, fields []string, line int) {
	for _, field := range fields[1:] {
		if isAddress(field) { // lists have "0.0.0.0 0.0.0.0"
			continue
		}
		name, err := Name(field)
		p.add(entry{scope: exact, name: name, text: printable(text)}, line, err)
	}
}

func (p *parsed) readDomain(text string, fields []string, line int) {
	kind, value, ok := strings.Cut(fields[0], ":")
	if !ok || isAddress(fields[0]) {
		kind, value = "", fields[0]
	}
	if kind == "include" {
		p.readInclude(value, fields[1:], line)
		return
	}
	e, err := readEntry(kind, value)
	for _, field := range fields[1:] {
		word := field[1:]
		switch {
		case field[0] == '@' && word != "":
			e.tags = append(e.tags, word)
		case field[0] == '&' && fs.ValidPath(word):
			p.given = append(p.given, gift{len(p.entries), word})
		case err == nil:
			err = fmt.Errorf("%.200q stands after a name: want @ATTRIBUTE or &LIST", field)
		}
	}
	e.text = printable(text)
	if err != nil {
		p.given = slices.DeleteFunc(p.given, func(g gift) bool { return g.entry == len(p.entries) })
	}
	p.add(e, line, err)
}

// readEntry reads what stands before and after a colon; kind is "" where
// there is none.
func readEntry(kind, value string) (e entry, err error) {
	switch kind {
	case "":
		if isAddress(value) {
			return readAddress(value)
		}
		e.scope = suffix
		e.name, err = Name(strings.TrimPrefix(strings.TrimPrefix(value, "*"), "."))
	case "domain":
		e.scope = suffix
		e.name, err = Name(value)
	case "full":
		e.name, err = Name(value)
	case "keyword":
		return readKeyword(value)
	case "regexp", "regex":
		return readExpression(value)
	default:
		err = fmt.Errorf("%.200q is none of domain, full, keyword, regexp and include", kind)
	}
	return e, err
}

func (p *parsed) readInclude(name string, conditions []string, line int) {
	i := inclusion{line: line, name: name}
	for _, c := range conditions {
		tag, ok := strings.CutPrefix(c, "@")
		if !ok {
			p.wrong(line, fmt.Errorf("%.200q stands after include: want @ATTRIBUTE or @-ATTRIBUTE", c))
			return
		}
		if without, ok := strings.CutPrefix(tag, "-"); ok {
			i.less = append(i.less, without)
		} else {
			i.with = append(i.with, tag)
		}
	}
	p.includes = append(p.includes, i)
}

func readKeyword(word string) (entry, error) {
	if word == "" {
		return entry{}, errors.New("a keyword of no letters is in every name")
	}
	return entry{scope: keyword, name: strings.ToLower(word)}, nil
}

func readExpression(text string) (entry, error) {
	re, err := regexp.Compile(text)
	if err != nil {
		err = fmt.Errorf("is not an expression that Go's regexp takes: %w", err)
	} else if text == "" {
		err = errors.New("an expression of no letters is in every name")
	}
	return entry{scope: expression, re: re}, err
}

// readAddress reads an address or a network.
func readAddress(text string) (entry, error) {
	if a, err := netip.ParseAddr(text); err == nil {
		a = a.WithZone("").Unmap()
		one := netip.PrefixFrom(a, a.BitLen())
		return entry{scope: address, network: &one}, nil
	}
	network, err := netip.ParsePrefix(text)
	if err != nil {
		err = fmt.Errorf("%.200q is neither an address nor a network", text)
	}
	network = network.Masked()
	return entry{scope: address, network: &network}, err
}

// Name normalises a name as people write it: any case, a dot at the end,
// letters beyond ASCII.
func Name(text string) (string, error) {
	name, err := parse.ASCII(strings.TrimSuffix(text, "."))
	if err != nil || !parse.Clean([]byte(name)) {
		return "", fmt.Errorf("%.200q is not a name", text)
	}
	return name, nil
}

// maxText is how much of an entry is told.
const maxText = 200

// printable makes an entry's text fit for a terminal.
func printable(text string) string {
	text = strings.Map(func(r rune) rune {
		if r < ' ' || r > '~' {
			return '?'
		}
		return r
	}, text)
	return text[:min(len(text), maxText)]
}
