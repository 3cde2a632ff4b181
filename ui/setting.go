package ui

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	tea "charm.land/bubbletea/v2"
	"go.yaml.in/yaml/v2"

	"lxd-allowlist/capture/session"
	"lxd-allowlist/export"
	"lxd-allowlist/export/owner"
	"lxd-allowlist/ui/dialog"
	"lxd-allowlist/ui/look"
)

// setting is one of the config file's, as the palette has it.
type setting struct {
	name, says string
	value      string   // as it is shown, and typed
	of         []string // what it may be, nil for whatever is typed
	// read makes of what was typed what the file has; nil for the text.
	read func(string) (any, error)
}

// between stands between the entries of a setting that has several.
const between = " | "

func (c Settings) list() []setting {
	themes := slices.Concat(look.ThemeNames(), c.OwnThemes)
	if c.Theme != "" && !slices.Contains(themes, c.Theme) {
		themes = append(themes, c.Theme)
	}
	var rebound []string
	for _, name := range slices.Sorted(maps.Keys(c.Keys)) {
		rebound = append(rebound, name+" "+strings.Join(c.Keys[name], " "))
	}
	return []setting{
		{name: "theme", says: "the colours, here those of the program; your own are files in themes, beside the config file", value: cmp.Or(c.Theme, "default"), of: themes},
		{name: "stay", says: "keep and drop stay on their row, and don't go on to what is undecided", value: onOff(c.Stay), of: []string{"on", "off"}, read: readOnOff},
		{name: "witness", says: "see who asks, and what is connected to; from the next start on", value: onOff(c.Witness == nil || *c.Witness), of: []string{"on", "off"}, read: readOnOff},
		{name: "filters", says: "saved filters, on f2 and those after it, with | between them", value: strings.Join(c.Filters, between), read: readFilters},
		{name: "keys", says: "other keys for actions, by the names that the config file has: drop x delete | swap X", value: strings.Join(rebound, between), read: readKeys},
		{name: "leave-key", says: "the chord that leaves the shell", value: cmp.Or(c.LeaveKey, DefaultLeaveKey)},
		{name: "format", says: "what the export begins with", value: cmp.Or(c.Format, export.Formats()[0].Name)},
		{name: "output", says: "the file that the export goes to, or a directory with a slash at its end", value: c.Output},
	}
}

func onOff(on bool) string { return map[bool]string{true: "on", false: "off"}[on] }

func readOnOff(text string) (any, error) {
	if text != "on" && text != "off" {
		return nil, fmt.Errorf("%s is neither on nor off", text)
	}
	return text == "on", nil
}

func readFilters(text string) (any, error) { return strings.Split(text, between), nil }

func readKeys(text string) (any, error) {
	all := make(map[string][]string)
	for entry := range strings.SplitSeq(text, between) {
		words := strings.Fields(entry)
		if len(words) == 0 || all[words[0]] != nil {
			return nil, fmt.Errorf("write an action and its keys, and %sbetween two of them: drop x delete | swap X", strings.TrimLeft(between, " "))
		}
		all[words[0]] = words[1:]
	}
	return all, nil
}

// setting returns one of the list.
func (c Settings) setting(name string) setting {
	all := c.list()
	return all[slices.IndexFunc(all, func(s setting) bool { return s.name == name })]
}

// setSetting gives a setting of the config file a value, "" for that which it
// has without the file, and returns the settings then. All other lines stay as
// they are.
func setSetting(name, value string) (c Settings, err error) {
	path, err := session.ConfigPath()
	if err != nil {
		return c, err
	}
	data, err := os.ReadFile(path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return c, fmt.Errorf("read the config file: %w", err)
	}
	if data, c, err = withSetting(data, name, value); err == nil {
		err = c.loadColours(path)
	}
	if err != nil {
		return c, strip(err)
	}
	if err := owner.MkdirAll(filepath.Dir(path)); err != nil {
		return c, fmt.Errorf("write the config file: %w", err)
	}
	return c, export.WritePrivate(path, data)
}

// withSetting returns a config file in which that setting alone has another
// value, and what it says.
func withSetting(data []byte, name, value string) (_ []byte, c Settings, err error) {
	lines := without(strings.SplitAfter(string(data), "\n"), name)
	if n := len(lines); n > 0 && !strings.HasSuffix(lines[n-1], "\n") {
		lines[n-1] += "\n"
	}
	if value != "" {
		var of any = value
		if read := c.setting(name).read; read != nil {
			if of, err = read(value); err != nil {
				return nil, c, err
			}
		}
		text, err := yaml.Marshal(map[string]any{name: of})
		if err != nil {
			return nil, c, err
		}
		lines = slices.Insert(lines, beginning(lines), string(text))
	}
	was, unreadable := parseSettings(data)
	data = []byte(strings.Join(lines, ""))
	if c, err = parseSettings(data); err != nil || unreadable != nil {
		return data, c, err
	}
	now := c.list()
	for i, before := range was.list() {
		if before.name != name && before.value != now[i].value {
			return nil, was, fmt.Errorf("set %s: %s would be another in the config file, too: change it there", name, before.name)
		}
	}
	return data, c, nil
}

// beginning returns at which line of a config file its settings begin, at the
// earliest: behind the "---" of YAML.
func beginning(lines []string) int {
	for i, line := range lines {
		switch {
		case strings.TrimSpace(line) == "---":
			return i + 1
		case strings.TrimSpace(line) != "" && line[0] != '#':
			return 0
		}
	}
	return 0
}

// without returns the lines of a config file without those of a setting: the one
// with its name, and those that go on with it, but for empty ones and comments
// between them.
func without(lines []string, name string) (left []string) {
	inside := false
	for _, line := range lines {
		switch {
		case line == "": // behind the last newline
			continue
		case strings.TrimSpace(line) == "" || line[0] == '#': // it ends nothing
			left = append(left, line)
			continue
		}
		goesOn := inside && strings.ContainsAny(line[:1], " \t-]}")
		if inside = goesOn || strings.HasPrefix(line, name+":"); !inside {
			left = append(left, line)
		}
	}
	return left
}

// settingItems are the settings as a palette has them.
func (m *model) settingItems() (items []dialog.Item) {
	for _, s := range m.opts.Settings.list() {
		items = append(items, dialog.Item{Section: "Setting", Does: s.name + ": " + s.says, Key: s.value, To: pickedSetting(s.name)})
	}
	return items
}

// askSetting has the user give a setting another value.
func (m *model) askSetting(name string) dialog.Dialog {
	s := m.opts.Settings.setting(name)
	if s.of == nil {
		return dialog.NewPrompt(m.keys, "Setting "+name, s.says+"; it goes into the config file; with no text it is taken out there", "set it", s.value, settingFor{name})
	}
	var options []dialog.Option
	for _, value := range s.of {
		options = append(options, dialog.Option{Name: value, Says: map[bool]string{true: "as it is now"}[value == s.value]})
	}
	d := dialog.NewChoice(m.keys, "Setting "+name, s.says+". What is chosen goes into the config file.", options, settingFor{name})
	d.Begin(slices.Index(s.of, s.value))
	return d
}

type settingFor struct{ name string }

// settingSetMsg says what became of a setting that was given another value.
type settingSetMsg struct {
	of       dialog.Dialog
	name     string
	settings Settings
	err      error
}

// setSettingTo writes what was typed into a dialog, or chosen.
func (m *model) setSettingTo(of dialog.Dialog, to settingFor, text string) tea.Cmd {
	trial := m.opts.Trial
	return func() tea.Msg {
		if trial {
			return settingSetMsg{of: of, name: to.name, err: errTrial}
		}
		c, err := setSetting(to.name, text)
		return settingSetMsg{of, to.name, c, err}
	}
}

// chooseSetting writes what was chosen.
func (m *model) chooseSetting(to settingFor, at int) tea.Cmd {
	return m.setSettingTo(nil, to, m.opts.Settings.setting(to.name).of[at])
}

// settingSet takes up what became of it, and closes the dialog that it was typed
// into, if that is the one that is shown. Keys and colours are the new ones at
// once.
func (m *model) settingSet(msg settingSetMsg, shown *dialog.Dialog) (said string) {
	prompt, open := msg.of.(*dialog.Prompt)
	open = open && *shown == msg.of
	switch {
	case msg.err != nil && open:
		prompt.Fail(msg.err)
		return ""
	case msg.err != nil:
		return msg.err.Error()
	case open:
		*shown = nil
	}
	m.opts.Settings = msg.settings
	if tables, keys, err := newKeys(m.opts.Settings); err == nil {
		m.tables, m.keys = tables, keys
	}
	m.restyle()
	return fmt.Sprintf("%s is set in the config file", msg.name)
}
