package cgroup

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

func TestCommandOfShell(t *testing.T) {
	line := func(commands ...string) (all []command) {
		for _, c := range commands {
			args := strings.Fields(c)
			all = append(all, command{filepath.Base(args[0]), args})
		}
		return all
	}
	for _, test := range []struct {
		what, want string
		line       []command
	}{
		{"typed", "apt update", line("/usr/lib/apt/methods/https", "apt update", "bash", "su -l", "init")},
		{"in a login shell", "apt update", line("http", "apt update", "-bash", "sshd", "init")},
		{"in a shell within a shell", "apt update", line("http", "apt update", "bash", "sudo -i", "bash", "init")},
		{"by a script that was typed", "/bin/sh ./build.sh", line("curl x", "make", "/bin/sh ./build.sh", "bash -l", "init")},
		{"by a tool's shell", "npm install", line("curl x", "sh -c curl", "npm install", "zsh", "init")},
		{"by a subshell", "apt update", line("apt update", "bash", "bash", "init")},
		{"by cron", "run-parts /etc/cron.daily", line("curl x", "sh /etc/cron.daily/x", "run-parts /etc/cron.daily", "sh -c x", "cron", "init")},
		{"by no shell", "", line("systemd-resolved", "systemd")},
		{"itself a shell", "", line("bash", "init")},
		{"by a shell that is gone", "curl x", append(line("curl x"), command{"sh", nil}, command{"init", nil})},
		{"gone itself", "curl", append([]command{{"curl", nil}}, line("sh", "init")...)},
	} {
		if got := begun(test.line); got != test.want {
			t.Errorf("%s: %q, want %q", test.what, got, test.want)
		}
	}
}

// A number is a process's only while it is there with that program.
func TestSameProcess(t *testing.T) {
	b, err := os.ReadFile("/proc/self/stat")
	if err != nil {
		t.Fatal(err)
	}
	comm := text([]byte(strings.TrimSuffix(string(b[strings.IndexByte(string(b), '(')+1:strings.LastIndexByte(string(b), ')')]), "\n")))
	fields := strings.Fields(string(b[strings.LastIndexByte(string(b), ')')+1:]))
	var start uint64
	for _, c := range fields[19] {
		start = start*10 + uint64(c-'0')
	}
	mine := task{key: key{uint64(os.Getpid()), start * uint64(tick), 0}, comm: comm}
	if name, _ := os.Executable(); exe(mine) != name || len(arguments(mine)) != len(os.Args) {
		t.Errorf("it is %q with %q", exe(mine), arguments(mine))
	}
	later, other, gone := mine, mine, mine
	later.start += uint64(tick)
	other.comm = "other"
	gone.host = 1 << 30
	for _, not := range []task{later, other, gone} {
		if exe(not) != "" || arguments(not) != nil {
			t.Errorf("%+v is %q with %q", not, exe(not), arguments(not))
		}
	}
}

// An instance's file of users is its own, and whoever rules it writes what
// they like.
func TestUsers(t *testing.T) {
	root := t.TempDir()
	etc := filepath.Join(root, "etc")
	file := filepath.Join(etc, "passwd")
	if err := os.Mkdir(etc, 0o755); err != nil {
		t.Fatal(err)
	}
	secret := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(secret, []byte("secret:x:0:0:::\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	of := func(uid uint32) string {
		u := users{root: root, ranges: []userRange{{0, 100000, 1000}, {5000, 5000, 1}}}
		return u.name(uid)
	}
	write := func(s string) func() error { return func() error { return os.WriteFile(file, []byte(s), 0o644) } }
	for _, test := range []struct {
		what string
		make func() error
		uid  uint32
		want string
	}{
		{"no file", func() error { return nil }, 100007, "7"},
		{"a name", write("root:x:0:0:::\n_apt:x:42:65534::/nonexistent:\nother:x:42:1::\n"), 100042, "_apt"},
		{"none of that number", write("root:x:0:0:::\n"), 100001, "1"},
		{"one that isn't mapped", write("nobody:x:65534:65534:::\n"), 7, "nobody"},
		{"mapped to itself", write("five:x:5000:1::\n"), 5000, "five"},
		{"nonsense", write("a\n::0:\nb:x:-1:0:\nc:x:4294967296:0::\nd:x:0:0::\n"), 100000, "d"},
		{"a link out of it", func() error { return os.Symlink(secret, file) }, 100000, "0"},
		{"a link up", func() error { return os.Symlink("../../../../../../"+secret, file) }, 100000, "0"},
		{"a pipe", func() error { return syscall.Mkfifo(file, 0o644) }, 100000, "0"},
		{"a directory", func() error { return os.Mkdir(file, 0o755) }, 100000, "0"},
	} {
		if err := os.RemoveAll(file); err != nil {
			t.Fatal(err)
		}
		if err := test.make(); err != nil {
			t.Fatal(err)
		}
		if got := of(test.uid); got != test.want {
			t.Errorf("%s: user %d is %q, want %q", test.what, test.uid, got, test.want)
		}
	}
}
