package known

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// readMISP reads a warning list of MISP, an object of name, type, list, and the
// kinds of things that it matches. A type of hostname holds for the names
// below, too; string, the default, for the very name, for all below one that
// begins with a dot, or for an address. The format is described at
// https://github.com/MISP/misp-warninglists.
func (p *parsed) readMISP(data []byte) {
	r := lineReader{dec: json.NewDecoder(bytes.NewReader(data)), data: data}
	var typ string
	var about []string
	var list []lined
	err := r.object(func(key string) (err error) {
		switch key {
		case "name":
			err = r.dec.Decode(&p.title)
		case "type":
			err = r.dec.Decode(&typ)
		case "list":
			list, err = r.strings()
		case "matching_attributes":
			err = r.dec.Decode(&about)
		default:
			var skipped json.RawMessage
			err = r.dec.Decode(&skipped)
		}
		return err
	})
	if err == nil {
		_, err = mispEntry(typ, "a.example")
		if !errors.Is(err, errType) {
			err = nil
		}
	}
	if err == nil && len(about) > 0 && !slices.ContainsFunc(about, ofNames) {
		p.wrong(0, fmt.Errorf("is about %.200q, not about names or addresses", about[0]))
		return
	}
	if err != nil {
		p.wrong(r.line(), fmt.Errorf("is not a warning list of MISP: %w", err))
		return
	}
	for _, l := range list {
		e, err := mispEntry(typ, l.text)
		e.text = printable(l.text)
		p.add(e, l.line, err)
	}
}

// ofNames reports whether an attribute of MISP has a name or an address in it:
// "hostname", "domain|ip", "ip-dst", "url".
func ofNames(attribute string) bool {
	return slices.ContainsFunc([]string{"domain", "hostname", "ip-", "url", "uri", "link"}, func(s string) bool { return strings.HasPrefix(attribute, s) })
}

var errType = errors.New("the type is none of hostname, string, substring, regex and cidr")

func mispEntry(typ, text string) (entry, error) {
	switch typ {
	case "hostname":
		return readEntry("", text)
	case "string", "":
		if isAddress(text) {
			return readAddress(text)
		}
		if strings.HasPrefix(text, ".") {
			return readEntry("", text)
		}
		return readEntry("full", text)
	case "substring":
		return readKeyword(text)
	case "regex":
		return readExpression(undelimit(text))
	case "cidr":
		return readAddress(text)
	}
	return entry{}, fmt.Errorf("%w: %.200q", errType, typ)
}

// undelimit turns an expression with PHP's slashes and flags, /…/i, into one
// of Go's.
func undelimit(text string) string {
	end := strings.LastIndexByte(text, '/')
	if end < 1 || text[0] != '/' {
		return text
	}
	flags := strings.Map(func(r rune) rune {
		if r == 'u' || r == 'g' { // letters of UTF-8, and all that match
			return -1
		}
		return r
	}, text[end+1:])
	if flags != "" {
		flags = "(?" + flags + ")"
	}
	return flags + strings.ReplaceAll(text[1:end], `\/`, "/")
}

// lined is a string and the line that it stands in.
type lined struct {
	text string
	line int
}

// lineReader reads JSON and knows in which line it is.
type lineReader struct {
	dec     *json.Decoder
	data    []byte
	at, sum int // the lines before byte at
}

// line returns the line of what was read last, from 1.
func (r *lineReader) line() int {
	to := min(int(r.dec.InputOffset()), len(r.data))
	r.sum += bytes.Count(r.data[r.at:to], []byte{'\n'})
	r.at = to
	return r.sum + 1
}

// object reads one object; read reads the value of a key.
func (r *lineReader) object(read func(key string) error) error {
	if err := r.delim('{'); err != nil {
		return err
	}
	for r.dec.More() {
		key, err := r.dec.Token()
		if err != nil {
			return err
		}
		if err := read(key.(string)); err != nil {
			return fmt.Errorf("%q: %w", key, err)
		}
	}
	return r.delim('}')
}

func (r *lineReader) strings() (all []lined, err error) {
	if err := r.delim('['); err != nil {
		return nil, err
	}
	for r.dec.More() {
		var text string
		if err := r.dec.Decode(&text); err != nil {
			return nil, err
		}
		all = append(all, lined{text, r.line()})
	}
	return all, r.delim(']')
}

func (r *lineReader) delim(want json.Delim) error {
	t, err := r.dec.Token()
	if err == nil && t != want {
		err = fmt.Errorf("want %v", want)
	}
	return err
}
