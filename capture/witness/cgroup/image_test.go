package cgroup

import (
	"errors"
	"fmt"
	"net"
	"os"
	"slices"
	"strings"
	"testing"
)

// A process that is gone when its query is read is known all the same, and so is
// the command that it descends from.
func TestShortLived(t *testing.T) {
	const all = 30
	g := newGround(t)
	l, err := begin(g.pid, g.heard, ringBytes)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.ring.close(); l.hooks.close(); l.init.Close() })
	ask := func(name string) string { return strings.Join(play("ask", "udp4", "10.77.0.1:53", name), " ") }
	const line = "sh -c (timeout 9 %s; true); true"
	var commands [][]string
	for i := range all { // the shell, its subshell and timeout are gone, too
		commands = append(commands, strings.SplitN(fmt.Sprintf(line, ask(fmt.Sprintf("n%d.example.test", i))), " ", 3))
	}
	if said := g.run(commands...); said != "" {
		t.Fatal(said)
	}
	l.read(false) // all of them are gone by now
	if n := len(g.heard.queries); n != all {
		t.Errorf("%d queries were told, want %d", n, all)
	}
	for _, q := range g.heard.queries {
		want := fmt.Sprintf(line, ask(q.Name)) // of the subshell
		if p := q.Process; p == nil || p.Comm != "cgroup.test" || p.Exe != os.Args[0] || len(p.Args) != 4 || p.Args[3] != q.Name || p.Command != want ||
			!slices.Equal(p.Parents, []string{"timeout", "sh", "sh", "exe"}) {
			t.Errorf("%s is of %+v, want the command %q", q.Name, p, want)
		}
	}
}

// The program's path is the instance's, whatever is mounted there, up to a length.
func TestPathOfProgram(t *testing.T) {
	g := newGround(t)
	l, err := begin(g.pid, g.heard, ringBytes)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.ring.close(); l.hooks.close(); l.init.Close() })
	long := "/mnt/" + strings.Repeat("x", 255)
	longer := long + strings.TrimPrefix(long, "/mnt") + "/directory"
	paths := []string{"/mnt/asker", long + "/asker", longer + "/asker"}
	script := "set -e; mount -t tmpfs none /mnt; mkdir " + long + "; mount -t tmpfs none " + long + "; mkdir -p " + longer + "\n"
	for i, path := range paths {
		script += fmt.Sprintf("touch %[2]s; mount --bind %[1]s %[2]s; %[3]s=ask %[2]s udp4 10.77.0.1:53 n%[4]d.example.test\n", os.Args[0], path, part, i)
	}
	if said := g.run([]string{"unshare", "-m", "sh", "-c", script}); said != "" {
		t.Fatal(said)
	}
	l.read(false) // all of them are gone by now
	paths[2] = ""
	for i, want := range paths {
		if p := g.heard.query(fmt.Sprintf("n%d.example.test", i)).Process; p == nil || p.Exe != want || p.Comm != "asker" {
			t.Errorf("%q is told of as %+v", want, p)
		}
	}
}

// Where the kernel can't tell a program's path, that is said, and /proc has it
// while the process is there.
func TestPathByProc(t *testing.T) {
	g := newGround(t)
	silent, err := net.Listen("tcp", "10.77.0.1:53")
	if err != nil {
		t.Fatal(err)
	}
	l, err := begin(g.pid, g.heard, ringBytes)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.ring.close(); l.hooks.close(); l.init.Close() })
	l.ring.close()
	l.hooks.close()
	o, err := findOffsets(1)
	o.noPath = errors.New("find struct mount of the kernel: not found")
	if err == nil {
		l.hooks, err = attach(g.group, o, ringBytes)
	}
	if err == nil {
		l.ring, err = openRing(l.hooks.ring.FD(), ringBytes)
	}
	if err != nil {
		t.Fatal(err)
	}
	if l.admit(o.noPath, "paths"); g.heard.lost != 1 || !strings.Contains(g.heard.why[0], "struct mount") {
		t.Errorf("%d lost: %q", g.heard.lost, g.heard.why)
	}
	done := make(chan string)
	go func() { done <- g.run(play("ask", "tcp4", "10.77.0.1:53", "n.example.test")) }()
	c, err := silent.Accept()
	if err != nil {
		t.Fatal(err)
	}
	_, _ = c.Read(make([]byte, 512)) // it waits for an answer
	l.read(false)
	if p := g.heard.query("n.example.test").Process; p == nil || p.Exe != os.Args[0] {
		t.Errorf("it is of %+v", p)
	}
	c.Close()
	silent.Close()
	<-done
}
