package keys

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Map is which key does what in every context.
type Map struct {
	rows     map[string]Row // by name, with the keys in force
	contexts map[string]context
}

type context struct {
	rows  []Row // with the keys that count here
	index map[string]place
}

// place is a row of a context and which of its keys it is.
type place struct{ row, nth int }

// chord is what can leave the shell: keys that terminals send as one and that
// nobody types as text.
var chord = regexp.MustCompile(`^(ctrl\+[]a-z\\^_@]|alt\+[a-z0-9]|f([1-9]|1[0-2]))$`)

// twins are what the kitty protocol calls keys that are the same to all other
// terminals.
var twins = map[string]string{`ctrl+\`: "ctrl+4", "ctrl+]": "ctrl+5", "ctrl+^": "ctrl+6", "ctrl+_": "ctrl+7"}

// NewMap returns the keys of all contexts, those of the user in place of the
// defaults; they are by the rows' names. An error says what is wrong with them
// in words for who wrote them.
func NewMap(contexts []Context, user map[string][]string) (*Map, error) {
	m := &Map{rows: make(map[string]Row), contexts: make(map[string]context)}
	for _, r := range shared {
		m.rows[r.Name] = r
	}
	for _, c := range contexts {
		for _, r := range c.Rows {
			if len(r.Keys) > 0 {
				m.rows[r.Name] = r
			}
		}
	}
	defaults := maps.Clone(m.rows)
	for _, name := range slices.Sorted(maps.Keys(user)) {
		if err := m.rebind(name, user[name]); err != nil {
			return nil, err
		}
	}
	leave := m.rows[Leave]
	for _, key := range leave.Keys {
		if twin := twins[key]; twin != "" {
			leave.Keys = append(slices.Clip(leave.Keys), twin)
		}
	}
	m.rows[Leave] = leave
	for _, c := range contexts {
		if err := m.add(c, defaults); err != nil {
			return nil, err
		}
	}
	return m, nil
}

func (m *Map) rebind(name string, keys []string) error {
	r, ok := m.rows[name]
	switch {
	case !ok:
		return fmt.Errorf("there is no action %q; there are %s", name, strings.Join(slices.Sorted(maps.Keys(m.rows)), ", "))
	case len(keys) == 0 || slices.Contains(keys, ""):
		return fmt.Errorf("%s has no key", name)
	}
	for _, key := range keys {
		if strings.ContainsFunc(key, func(r rune) bool { return !unicode.IsPrint(r) }) {
			return fmt.Errorf("%s has the key %q, which no terminal sends", name, key)
		}
		if name == Leave && !chord.MatchString(key) {
			return fmt.Errorf("the leave key %q is no chord: write one such as ctrl+g, alt+x or f12, or there would be no way out of the shell", key)
		}
	}
	r.Keys = slices.Clone(keys)
	m.rows[name] = r
	return nil
}

// add takes up a context and finds a key that does two things in it.
func (m *Map) add(c Context, defaults map[string]Row) error {
	in := context{index: make(map[string]place)}
	for at, r := range c.Rows {
		r = m.rows[r.Name].in(r)
		if r.After != "" {
			in.rows = append(in.rows, r)
			continue
		}
		if c.Typing && !slices.Contains(c.Text, r.Name) {
			if r.Keys = slices.DeleteFunc(slices.Clone(r.Keys), isText); len(r.Keys) == 0 {
				r.Keys = slices.DeleteFunc(slices.Clone(defaults[r.Name].Keys), isText)
			}
		}
		for nth, key := range r.Keys {
			if other, taken := in.index[key]; taken && other.row != at {
				return fmt.Errorf("the key %s does two things in %s: %s, and %s", key, c.Name, in.rows[other.row].Help, r.Help)
			} else if !taken {
				in.index[key] = place{at, nth}
			}
		}
		in.rows = append(in.rows, r)
	}
	m.contexts[c.Name] = in
	return nil
}

// in returns the row as another context has it.
func (r Row) in(there Row) Row {
	there.Keys = r.Keys
	if there.Help == "" {
		there.Help = r.Help
	}
	if there.Show == 0 {
		there.Show = r.Show
	}
	return there
}

// isText reports whether a key types something.
func isText(key string) bool { return utf8.RuneCountInString(key) == 1 || key == "space" }

func (m *Map) find(context, key string) (row, nth int, ok bool) {
	p, ok := m.contexts[context].index[key]
	return p.row, p.nth, ok
}

// Show returns how the keys of a row are shown, for a sentence that names them.
func (m *Map) Show(name string) string { return m.rows[name].shown() }

// Nth returns how one of the keys of a row is shown, from 0; "" where it has
// not so many.
func (m *Map) Nth(name string, nth int) string {
	if keys := m.rows[name].Keys; nth < len(keys) {
		return glyphs.Replace(keys[nth])
	}
	return ""
}

// glyphs are keys that are shown otherwise than they are written.
var glyphs = strings.NewReplacer("pgdown", "pgdn", "up", "↑", "down", "↓", "left", "←", "right", "→", "pgup", "pgup")

func (r Row) shown() string {
	if len(r.Keys) == 0 {
		return ""
	}
	n := max(1, min(r.Show, len(r.Keys)))
	if n > 2 { // "1-9"
		return glyphs.Replace(r.Keys[0]) + "-" + glyphs.Replace(r.Keys[n-1])
	}
	return glyphs.Replace(strings.Join(r.Keys[:n], "/"))
}

// Rows returns every row that has keys of its own, with those in force, by
// name.
func (m *Map) Rows() []Row {
	return slices.SortedFunc(maps.Values(m.rows), func(a, b Row) int { return strings.Compare(a.Name, b.Name) })
}
