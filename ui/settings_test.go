package ui

import (
	"bytes"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"lxd-allowlist/capture/session"
	"lxd-allowlist/ui/keys"
	"lxd-allowlist/ui/look"
)

func TestSettings(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("XDG_CONFIG_HOME", dir)
	path := filepath.Join(dir, "lxd-allowlist", "config.yaml")
	if c, err := LoadSettings(); err != nil || c.LeaveKey != "" {
		t.Errorf("without a file: %+v, %v", c, err)
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	tests := map[string]string{ // the file, and what the error says
		"leave-key: ctrl+g\nwitness: off\nkeys:\n  drop: [X, Delete]\n": "",
		"keys: {jump: [b]}":     "no action \"jump\"; there are",
		"keys: {drop: [a]}":     "the key a does two things",
		"keys: {drop: []}":      "drop has no key",
		"witness: perhaps":      "cannot unmarshal",
		"leave-key: foo":        "no way out of the shell",
		"leave-key: ctrl+q9":    "no way out of the shell",
		"leave-key: a":          "no way out of the shell",
		"keys: {leave: [a]}":    "no way out of the shell",
		"keys: {merge: [y]}":    "the key y does two things in the question whether to overwrite: yes, and merge",
		"keys: {accept: [esc]}": "the key esc does two things in",
		"format: nosuch":        "no format \"nosuch\"",
		"colour: red":           "line 1: colour is no setting; there are filters, format, keys, leave-key, output, stay, theme and witness",
		"keys: [":               path,
		"leave-key: [1, 2, 3]":  "cannot unmarshal",
	}
	for file, wrong := range tests {
		if err := os.WriteFile(path, []byte(file), 0o600); err != nil {
			t.Fatal(err)
		}
		c, err := LoadSettings()
		switch {
		case wrong == "" && err != nil:
			t.Errorf("%q: %v", file, err)
		case wrong == "":
			if _, k, err := newKeys(c); err != nil || k.Show(keys.Leave) != "ctrl+g" || k.Show("drop") != "X" || c.Witness == nil || *c.Witness {
				t.Errorf("%q: leave %s, drop %s, %v", file, k.Show(keys.Leave), k.Show("drop"), err)
			}
		case err == nil || !strings.Contains(err.Error(), strings.TrimSuffix(wrong, path)) || strings.Contains(err.Error(), "\n"):
			t.Errorf("%q: %v, want one line with %s", file, err, wrong)
		}
	}
}

// A theme is one of the program's, or a file; a wrong one is told of in a line.
func TestThemes(t *testing.T) {
	t.Setenv("XDG_CONFIG_HOME", t.TempDir())
	path, err := session.ConfigPath()
	if err != nil {
		t.Fatal(err)
	}
	mine := filepath.Join(filepath.Dir(path), "themes", "mine.yaml")
	if err := os.MkdirAll(filepath.Dir(mine), 0o700); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct{ config, file, wrong string }{
		{"theme: high-contrast", "", ""},
		{"theme: mine", "dark: {keep: \"2\"}\n", ""},
		{"theme: mine", "dark: {keep: green}\n", "read the theme " + mine + ": dark: keep is \"green\", which is no colour"},
		{"theme: mine", "dark: {kep: \"2\"}\n", "kep is no colour of a theme"},
		{"theme: mine", "night: {}\n", "night is none of a theme"},
		{"theme: other", "", "there is no theme other: there are catppuccin, default, high-contrast, terminal, and "},
		{"theme: ../mine", "", "there is no theme \"../mine\""},
	} {
		for file, text := range map[string]string{path: test.config, mine: test.file} {
			if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		c, err := LoadSettings()
		switch {
		case test.wrong == "" && (err != nil || c.Colours == look.Theme{}):
			t.Errorf("%s: %+v, %v", test.config, c.Colours, err)
		case test.wrong != "" && (err == nil || !strings.Contains(err.Error(), test.wrong) || strings.Contains(err.Error(), "\n")):
			t.Errorf("%s, %s: %v, want one line with %s", test.config, test.file, err, test.wrong)
		}
	}
	for file, text := range map[string]string{path: "", mine: "", filepath.Join(filepath.Dir(mine), "Not a name.yaml"): "", filepath.Join(filepath.Dir(mine), "notes"): ""} {
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	c, err := LoadSettings()
	if of := c.setting("theme").of; err != nil || !slices.Equal(of, append(look.ThemeNames(), "mine")) {
		t.Errorf("the palette has the themes %q, %v", of, err)
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	if c, err = LoadSettings(); err != nil || !slices.Contains(c.setting("theme").of, "mine") {
		t.Errorf("without a config file it has %q, %v", c.setting("theme").of, err)
	}
}

// configured writes the config file, and returns where that is.
func configured(t *testing.T, text string) (path string) {
	t.Helper()
	path, err := session.ConfigPath()
	if err == nil {
		err = os.MkdirAll(filepath.Dir(path), 0o700)
	}
	if err == nil {
		err = os.WriteFile(path, []byte(text), 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// Every setting of the config file is in the palette, can be set there, and
// counts at once; other lines of the file stay as they are.
func TestEverySettingIsInThePalette(t *testing.T) {
	s := newScene(t, 120, 40)
	const before = "# mine\nkeys: # two\n  drop: [X]\n# behind it\nfilters:\n- is:new\nstay: true # why\n"
	path := configured(t, before)
	s.session()
	all := reflect.TypeFor[Settings]()
	s.press(":")
	for i := range all.NumField() {
		name, _, _ := strings.Cut(all.Field(i).Tag.Get("yaml"), ",")
		if name != "-" && !slices.ContainsFunc(s.opts.Settings.list(), func(s setting) bool { return s.name == name }) {
			t.Errorf("the palette leaves out %s", name)
		}
	}
	s.press("esc")
	set := func(name, value string) {
		t.Helper()
		s.messages = nil
		s.press(":").types("setting " + name + ":").press("enter")
		if s.opts.Settings.setting(name).of == nil {
			s.press("ctrl+u").types(value)
		} else {
			for !strings.Contains(s.text(), "▸ "+value) {
				s.press("down")
			}
		}
		s.press("enter")
		s.wants(name + " is set in the config file")
	}
	plain := *s.styles
	set("theme", "high-contrast")
	if *s.styles == plain {
		t.Error("another theme leaves the colours")
	}
	set("stay", "off")
	if s.opts.Settings.Stay {
		t.Error("it stays on")
	}
	set("witness", "off")
	set("filters", "is:new !type:ptr | cmd:apt")
	if got := s.m().saved(); !slices.Equal(got, []string{"is:new !type:ptr", "cmd:apt"}) {
		t.Errorf("the filters are %q", got)
	}
	set("keys", "drop X delete | swap ctrl+x")
	if got := s.keys.Show("drop") + s.keys.Show("swap"); got != "Xctrl+x" {
		t.Errorf("the keys are %s", got)
	}
	s.press("g", "X")
	s.wants("✗")
	set("leave-key", "ctrl+g")
	set("format", "squid")
	set("output", "~/lists/")
	const want = "output: ~/lists/\nformat: squid\nleave-key: ctrl+g\nkeys:\n  drop:\n  - X\n  - delete\n  swap:\n  - ctrl+x\nfilters:\n- is:new !type:ptr\n- cmd:apt\nwitness: false\nstay: false\ntheme: high-contrast\n# mine\n# behind it\n"
	if data, _ := os.ReadFile(path); string(data) != want {
		t.Errorf("the file is %s", data)
	}
	if c, err := LoadSettings(); err != nil || c.Witness == nil || *c.Witness || c.Colours != s.opts.Settings.Colours {
		t.Errorf("read again it is %+v, %v", c, err)
	}
	s.press(":").types("setting keys:").press("enter", "ctrl+u").types("jump b").press("enter")
	if s.wants(`no action "jump"`); s.keys.Show("drop") != "X" {
		t.Error("a wrong setting counts")
	}
}

// What goes on with a setting goes with it, however it is spaced and commented on;
// a comment that begins a line stays.
func TestSettingsOnSeveralLines(t *testing.T) {
	t.Setenv("XDG_CONFIG_HOME", t.TempDir())
	for before, want := range map[string]string{
		"keys:\n  drop: [delete]\n\n# that one, too\n  swap: [X]\n\nstay: true\n": "keys:\n  undo:\n  - b\n\n# that one, too\n\nstay: true\n",
		"stay: true\nkeys:\n# all\n\n  drop: [delete]":                            "keys:\n  undo:\n  - b\nstay: true\n# all\n\n",
		"keys: {drop: [delete],\n# both\n  swap: [X]\n}\r\nstay: true\r\n":        "keys:\n  undo:\n  - b\n# both\nstay: true\r\n",
		"# mine\n---\r\nstay: true\n":                                             "# mine\n---\r\nkeys:\n  undo:\n  - b\nstay: true\n",
		"---\n":                                                                   "---\nkeys:\n  undo:\n  - b\n",
	} {
		path := configured(t, before)
		if _, err := LoadSettings(); err != nil {
			t.Fatal(err)
		}
		if _, err := setSetting("keys", "undo b"); err != nil {
			t.Errorf("%q: %v", before, err)
		} else if data, _ := os.ReadFile(path); string(data) != want {
			t.Errorf("%q became %q, want %q", before, data, want)
		}
	}
}

// A setting that can't be set without another is refused, and the file stays.
func TestSettingWithAnother(t *testing.T) {
	t.Setenv("XDG_CONFIG_HOME", t.TempDir())
	const before = "output: \"a\n\nkeys: b\n\"\n" // all of it is the output
	path := configured(t, before)
	_, err := setSetting("keys", "undo b")
	if data, _ := os.ReadFile(path); err == nil || !strings.Contains(err.Error(), "output would be another") || string(data) != before {
		t.Errorf("%v\n%s", err, data)
	}
}

// No theme of one's own panics: it is refused in one line, or it is drawn in.
func FuzzTheme(f *testing.F) {
	f.Add(`dark: {keep: "#a6e3a1", drop: "9", muted: "8", text: default, selection: reverse}`)
	f.Add("light: {accent: \"#0f45ac\", onto: \"255\"}\ndark: {}")
	f.Add("dark: {keep: \"\\e[31m\"}")
	f.Add("dark: &a {keep: \"1\"}\nlight: *a")
	f.Add("own: true\ncolour: red")
	f.Fuzz(func(t *testing.T, file string) {
		if len(file) > 2048 { // more of the same, and slow
			return
		}
		theme, err := parseTheme([]byte(file))
		if err != nil {
			if err = strip(err); strings.Contains(err.Error(), "\n") {
				t.Errorf("the error has more than one line: %q", err)
			}
			return
		}
		for _, few := range []bool{false, true} {
			for _, dark := range []bool{false, true} {
				if got := theme.Styles(dark, few).Keep.Render("x"); !sgrAlone.MatchString(got) {
					t.Errorf("it draws by %q", got)
				}
			}
		}
	})
}

// sgrAlone is a character between colours.
var sgrAlone = regexp.MustCompile(`^(\x1b\[[0-9;]*m)?x(\x1b\[m)?$`)

// A setting that is given another value is that alone which changes, whatever the
// file is like, or it is refused and nothing does.
func FuzzSetting(f *testing.F) {
	for _, file := range []string{
		"keys:\n  drop: [delete]\n\n# that one, too\n  swap: [X]\n\nstay: true\n", "{stay: true, theme: x}", "---\nstay: true\nfilters:\n- a\n- b",
		"output: |\n  a/\nformat: squid\r\n", "\"theme\": x\nstay : true", "%YAML 1.1\n---\nstay: true\n...\n", "leave-key: &a ctrl+g\noutput: *a", "output: \"a\n\ntheme: b\"\n",
	} {
		f.Add([]byte(file), uint8(0), "light")
		f.Add([]byte(file), uint8(4), "drop x | swap y")
		f.Add([]byte(file), uint8(7), "")
	}
	f.Fuzz(func(t *testing.T, file []byte, i uint8, value string) {
		if len(file) > 1024 { // more of the same, and slow
			return
		}
		was, err := parseSettings(file)
		if err != nil {
			return
		}
		list := was.list()
		name := list[int(i)%len(list)].name
		changed, is, err := withSetting(file, name, value)
		if err != nil {
			if err = strip(err); strings.Contains(err.Error(), "\n") {
				t.Errorf("the error has more than one line: %q", err)
			}
			return
		}
		for at, before := range list {
			after := is.list()[at]
			if before.name != name && before.value != after.value {
				t.Errorf("with %s %q, %s %q becomes %q:\n%s\n%s", name, value, before.name, before.value, after.value, file, changed)
			}
			if before.name != name || value == "" {
				continue
			}
			again, _, err := withSetting(changed, name, after.value)
			if err != nil || !bytes.Equal(again, changed) {
				t.Errorf("%s %q is shown as %q, which gives %v:\n%s\n%s", name, value, after.value, err, changed, again)
			}
		}
	})
}
