package export

import (
	"bytes"
	"fmt"
	"slices"
	"strings"

	"lxd-allowlist/export/rule"
	"lxd-allowlist/parse"
)

// Heads reports whether the file says on top that it is of this format: a list of
// bare names could be of several, with another meaning in each.
func (f Format) Heads(data []byte) bool {
	return f.mark != "" && bytes.Contains(data, []byte(f.mark+" "+headBegin+f.Title+"\n"))
}

// Read is Decode for a file that people may have edited: names are normalised,
// and what a comment says of a rule is its reason. Loose are the comments of
// somebody's own that stand with no rule.
func (f Format) Read(data []byte) (rules []rule.Rule, loose []string, err error) {
	data = tidy(data)
	if rules, err = f.Decode(data); err != nil {
		return nil, nil, err
	}
	var given, normal []byte
	for i := range rules {
		given = append(given[:0], rules[i].Name...)
		if normal = parse.AppendName(normal[:0], given); !bytes.Equal(normal, given) {
			rules[i].Name = string(normal)
		}
		if !strings.Contains(rules[i].Name, ":") || rules[i].Suffix {
			continue
		}
		if at, err := rule.ParseEndpoint(rules[i].Name); err == nil { // without a protocol, too
			rules[i].Name = at.String()
		}
	}
	return rules, f.readComments(data, rules), nil
}

// tidy returns a text as it is written here: some editors begin it with a byte
// order mark, and end its lines with "\r\n", or the last with nothing.
func tidy(data []byte) []byte {
	data = bytes.TrimPrefix(data, []byte("\ufeff"))
	if bytes.Contains(data, []byte("\r\n")) {
		data = bytes.ReplaceAll(data, []byte("\r\n"), []byte("\n"))
	}
	if n := len(data); n > 0 && data[n-1] != '\n' {
		data = append(slices.Clip(data), '\n')
	}
	return data
}

// readComments gives each comment to the rule that it is of: to the one that it
// names, as the comments on top do, or to the next below it.
func (f Format) readComments(data []byte, rules []rule.Rule) (loose []string) {
	if f.mark == "" {
		return nil
	}
	at := search{rules: rules}
	head := false
	mark := []byte(f.mark)
	for len(data) > 0 {
		if len(loose) == 0 { // no comment waits for its rule: on to the next one
			next := bytes.Index(data, mark)
			if next < 0 {
				break
			}
			data = data[bytes.LastIndexByte(data[:next], '\n')+1:]
		}
		all, rest, _ := bytes.Cut(data, []byte{'\n'})
		data, all = rest, bytes.TrimSpace(all)
		if !bytes.HasPrefix(all, mark) || f.isAside(string(all)) {
			if len(loose) == 0 {
				continue
			}
			if i, ok := at.in(string(all)); ok {
				giveReason(&rules[i], strings.Join(loose, "; "))
				loose = nil
			}
			continue
		}
		line := string(all)
		text := strings.TrimSpace(strings.TrimPrefix(line, f.mark))
		if strings.HasPrefix(text, headBegin) {
			head = true
			continue
		}
		if head {
			head = !strings.HasPrefix(text, headEnd)
			continue
		}
		dotted, reason, _ := strings.Cut(text, ": ")
		i, named := at.find(rule.FromDotted(dotted).Name)
		switch {
		case text == "" || strings.HasPrefix(line, "#!") || isOurs(text) || slices.ContainsFunc(f.usage, func(u string) bool { return strings.TrimSpace(u) == text }):
		case named && isOurs(reason):
		case named:
			giveReason(&rules[i], reason)
		default:
			loose = append(loose, text)
		}
	}
	return loose
}

// readRemarks gives the rules what the comments on top say of them, in files
// that have a list of comments instead.
func readRemarks(rules []rule.Rule, comments []string) error {
	at := search{rules: rules}
	end := slices.IndexFunc(comments, func(s string) bool { return strings.HasPrefix(s, headEnd) })
	for _, text := range comments[end+1:] {
		dotted, reason, _ := strings.Cut(text, ": ")
		i, named := at.find(rule.FromDotted(dotted).Name)
		if !named {
			return fmt.Errorf("a comment that belongs to no rule: %q", text)
		}
		if !isOurs(reason) {
			giveReason(&rules[i], reason)
		}
	}
	return nil
}

func giveReason(r *rule.Rule, reason string) {
	if r.Reason != "" {
		reason = r.Reason + "; " + reason
	}
	r.Reason = reason
}

// placesOf says where the rules of a name stand.
type placesOf map[string]int

func places(rules []rule.Rule) placesOf {
	at := make(placesOf, len(rules))
	for i, r := range rules {
		if _, twice := at[r.Name]; !twice {
			at[r.Name] = i
		}
	}
	return at
}

// search finds rules by their names, of which most are asked for in the order of
// the rules: where they stand is found out only for the others.
type search struct {
	rules   []rule.Rule
	next    int
	through int      // how often all were looked through
	at      placesOf // nil until it is wanted
}

const (
	// near is how many rules are looked at beyond the one that was found last.
	near = 256
	// maxThrough is how often all rules are looked through, which takes a hundredth
	// of finding out where each stands: most files have a word or two on top that may
	// be a name.
	maxThrough = 16
)

// soon is find among the next rules alone.
func (s *search) soon(name string) (int, bool) {
	for i := s.next; i < min(s.next+near, len(s.rules)); i++ {
		if s.rules[i].Name == name {
			s.next = i
			return i, true
		}
	}
	return 0, false
}

// find finds a rule of that name.
func (s *search) find(name string) (int, bool) {
	if strings.Contains(name, " ") { // as most comments have, and no name
		return 0, false
	}
	if i, ok := s.soon(name); ok {
		return i, true
	}
	var i int
	var ok bool
	if s.through++; s.through <= maxThrough {
		i = slices.IndexFunc(s.rules, func(r rule.Rule) bool { return r.Name == name })
		ok = i >= 0
	} else {
		if s.at == nil {
			s.at = places(s.rules)
		}
		i, ok = s.at[name]
	}
	if ok {
		s.next = i
	}
	return i, ok
}

// in finds the first rule that a line of any format names.
func (s *search) in(line string) (int, bool) {
	line = strings.ToLower(strings.ReplaceAll(line, `\`, ""))
	for _, find := range []func(string) (int, bool){s.soon, s.find} {
		for word := range strings.FieldsFuncSeq(line, func(c rune) bool {
			return c != '.' && c != '-' && c != '_' && (c < '0' || c > '9') && (c < 'a' || c > 'z')
		}) {
			if i, ok := find(strings.Trim(word, ".")); ok {
				return i, true
			}
		}
	}
	return 0, false
}

// Merge makes the file of the list together with what stands there. It fails
// where anything of that would be lost.
func (p Present) Merge(list rule.List, f Format, o Options) (File, error) {
	if !p.Exists {
		return p.Make(list, f, o)
	}
	if p.Unreadable != nil {
		return File{}, p.lost(p.Unreadable)
	}
	if len(p.loose) > 0 {
		return File{}, p.lost(fmt.Errorf("the comment %q belongs to no rule", p.loose[0]))
	}
	list.Rules = rule.Unite(list.Rules, p.Rules)
	o.before = p.Data
	file, got, err := makeFile(list, f, o)
	if err != nil {
		return File{}, err
	}
	if len(file.Refused) > 0 {
		at := places(p.Rules)
		for _, r := range file.Refused {
			if _, theirs := at[r.Rule.Name]; theirs {
				return File{}, p.lost(fmt.Errorf("%q %s", r.Rule.Dotted(), r.Why()))
			}
		}
	}
	if r, ok := f.reasonLost(p.Rules, got, file.Data); ok {
		return File{}, p.lost(fmt.Errorf("%s has no room for what is said of %s: %q", f.Name, r, r.Reason))
	}
	if port := f.portLost(tidy(p.Data), file.Data); port != "" {
		hint := "; name all with --ports"
		if strings.Contains(port, "/") { // which names TCP's
			hint = ""
		}
		return File{}, p.lost(fmt.Errorf("it names port %s and the new file doesn't%s", port, hint))
	}
	return file, nil
}

// portLost returns a port that one file names and another doesn't, "" for none.
func (f Format) portLost(before, after []byte) string {
	if f.port == nil {
		return ""
	}
	named := f.portsIn(after)
	for _, port := range f.portsIn(before) {
		if !slices.Contains(named, port) {
			return port
		}
	}
	return ""
}

// portsIn returns the ports that a file names, each once: "443", and "443/udp"
// of what isn't TCP's.
func (f Format) portsIn(data []byte) (all []string) {
	number, protocol := max(1, f.port.SubexpIndex("number")), f.port.SubexpIndex("protocol")
	look := func(in []byte) {
		for _, m := range f.port.FindAllSubmatch(in, -1) {
			port := string(m[number])
			if protocol > 0 && len(m[protocol]) > 0 && !bytes.EqualFold(m[protocol], []byte("tcp")) {
				port += "/" + strings.ToLower(string(m[protocol]))
			}
			if !slices.Contains(all, port) {
				all = append(all, port)
			}
		}
	}
	if strings.Contains(f.port.String(), `\n`) {
		look(data) // a port is more than a line, in a file that is never large
		return all
	}
	looked := make(map[string]bool) // at lines but for the names in them, which are many
	var bare []byte
	word := []byte(beforeNumber(f.port.String()))
	for {
		next := bytes.Index(data, word)
		if next < 0 {
			return all
		}
		if protocol < 0 { // as the word and a number is all there is
			data = data[next:]
			end := len(word)
			for end < len(data) && '0' <= data[end] && data[end] <= '9' {
				end++
			}
			if port := data[:end]; !looked[string(port)] {
				looked[string(port)] = true
				look(port)
			}
			data = data[end:]
			continue
		}
		line, rest, _ := bytes.Cut(data[bytes.LastIndexByte(data[:next], '\n')+1:], []byte{'\n'})
		if bare = unnamed(bare[:0], line); !looked[string(bare)] {
			looked[string(bare)] = true
			look(line)
		}
		data = rest
	}
}

// beforeNumber returns what stands in each match of an expression before the digits
// that are its last group: "port: ".
func beforeNumber(expr string) string {
	expr = expr[:strings.LastIndexByte(expr, '(')]
	return expr[strings.LastIndexByte(expr, '?')+1:]
}

// unnamed appends a line without what is in quotes, unless that is a number.
func unnamed(to, line []byte) []byte {
	for {
		begin := bytes.IndexByte(line, '"')
		if begin < 0 {
			return append(to, line...)
		}
		length := bytes.IndexByte(line[begin+1:], '"')
		if length < 0 {
			return append(to, line...)
		}
		to = append(to, line[:begin+1]...)
		if text := line[begin+1 : begin+1+length]; len(bytes.Trim(text, "0123456789")) == 0 {
			to = append(to, text...)
		}
		line = line[begin+1+length+1:]
		to = append(to, '"')
	}
}

// reasonLost finds a rule from before whose reason is no longer in the file,
// though the rule is. got is what was read back out of the file, nil for what can
// be read once more.
func (f Format) reasonLost(before, got []rule.Rule, data []byte) (rule.Rule, bool) {
	hasReason := func(r rule.Rule) bool { return r.Reason != "" }
	if !slices.ContainsFunc(before, hasReason) {
		return rule.Rule{}, false
	}
	if got == nil {
		got, _ = f.Decode(data)
	}
	f.readComments(data, got)
	at := search{rules: got}
	for _, r := range before {
		if !hasReason(r) {
			continue
		}
		if i, stays := at.find(r.Name); stays && !strings.Contains(plainReason(got[i]), plainReason(r)) {
			return r, true
		}
	}
	return rule.Rule{}, false
}

// plainReason is a reason as any format writes it, but for its length.
func plainReason(r rule.Rule) string { return strings.ReplaceAll(OneLine(r.Reason), `\`, "/") }

func (p Present) lost(why error) error {
	return fmt.Errorf("merge into %s: %w; it would be lost: change it there, or replace the file with --overwrite", p.Path, why)
}
