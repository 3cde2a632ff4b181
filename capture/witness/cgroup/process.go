package cgroup

import (
	"bytes"
	"os"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"

	"lxd-allowlist/capture/witness"
)

// mostProcesses is how many are remembered, of those that did something last.
const mostProcesses = 16384

// processes makes of what the kernel told the processes that are told on. What
// it doesn't tell is read in /proc at once, and left out where the process has
// ended or runs another program by then.
type processes struct {
	users  users
	told   recent[key, *witness.Process]
	begun  recent[image, []string] // the arguments of programs, as they began
	args   recent[key, []string]   // of those that others descend from
	server recent[*witness.Process, bool]
}

func newProcesses(init int) *processes {
	p := &processes{users: newUsers(init)}
	p.told.size, p.begun.size, p.args.size, p.server.size = mostProcesses, mostProcesses, mostProcesses, mostProcesses
	return p
}

// begins takes in that a process began a program.
func (p *processes) begins(b []byte) {
	if d := readProcess(b); d.args != nil {
		p.begun.put(d.image, d.arguments())
	}
}

// learn has a process known from now on.
func (p *processes) learn(b []byte) {
	k := readKey(b[processKey:])
	if _, known := p.told.get(k); known {
		return
	}
	d := readProcess(b)
	w := &witness.Process{
		PID: d.number, Host: int(d.host), Comm: d.comm, Exe: d.path, Args: d.args, User: p.users.name(d.uid),
	}
	if w.Exe == "" {
		w.Exe = exe(d.task)
	}
	if d.args == nil || d.cut {
		if w.Args = arguments(d.task); w.Args == nil {
			w.Args = d.arguments()
		}
	}
	line := []command{{d.comm, w.Args}}
	for _, parent := range d.parents {
		w.Parents = append(w.Parents, parent.comm)
		line = append(line, command{parent.comm, p.argumentsOf(parent)})
	}
	w.Command = begun(line)
	p.told.put(k, w)
}

// arguments returns what the kernel told of them.
func (d did) arguments() []string {
	if d.cut {
		return append(d.args, "…")
	}
	return d.args
}

// of returns a process that did something; nil where it isn't known.
func (p *processes) of(k key) *witness.Process {
	w, _ := p.told.get(k)
	return w
}

func (p *processes) argumentsOf(t task) []string {
	if args, known := p.begun.get(t.image); known {
		return args
	}
	if args, known := p.args.get(t.key); known {
		return args
	}
	args := arguments(t)
	p.args.put(t.key, args)
	return args
}

// exe returns the path of the program that a process runs, as the instance
// calls it; "" if it isn't there any more.
func exe(t task) string {
	name, err := os.Readlink(t.file("exe"))
	if err != nil || !t.same() {
		return ""
	}
	return strings.TrimSuffix(name, " (deleted)")
}

// arguments returns a process's command line, nil if it isn't there any more.
func arguments(t task) []string {
	b, err := os.ReadFile(t.file("cmdline"))
	if err != nil || !t.same() {
		return nil
	}
	return words(b)
}

func (t task) file(name string) string {
	return "/proc/" + strconv.FormatUint(t.host, 10) + "/" + name
}

// tick is the unit of times in /proc/PID/stat, whatever the kernel's own.
const tick = 10 * time.Millisecond

// same reports whether /proc still has the process that the kernel told of,
// with the program that it ran.
func (t task) same() bool {
	b, err := os.ReadFile(t.file("stat"))
	if err != nil {
		return false
	}
	// "PID (COMM) STATE PPID …", and COMM may hold anything.
	from, to := bytes.IndexByte(b, '('), bytes.LastIndexByte(b, ')')
	if from < 0 || to < from || string(b[from+1:to]) != t.comm {
		return false
	}
	const start = 19 // of the fields after COMM
	fields := bytes.Fields(b[to+1:])
	return len(fields) > start && string(fields[start]) == strconv.FormatUint(t.start/uint64(tick), 10)
}

// command is a process that others descend from.
type command struct {
	comm string
	args []string
}

// shells are the programs that people and scripts begin others with.
var shells = []string{"sh", "bash", "dash", "ash", "zsh", "ksh", "mksh", "fish", "csh", "tcsh", "busybox", "nu", "elvish", "xonsh", "pwsh"}

func (c command) isShell() bool {
	return slices.Contains(shells, strings.TrimPrefix(c.comm, "-")) ||
		len(c.args) > 0 && slices.Contains(shells, path.Base(strings.TrimPrefix(c.args[0], "-")))
}

// isInteractive reports whether a shell reads what somebody types, not a script
// or its own command line.
func (c command) isInteractive() bool {
	if len(c.args) == 0 {
		return false
	}
	for _, arg := range c.args[1:] {
		if !strings.HasPrefix(arg, "-") || !strings.HasPrefix(arg, "--") && strings.Contains(arg, "c") {
			return false
		}
	}
	return true
}

// begun returns the command line that a shell began, of a process (the first)
// and those that it descends from: what was typed last, else what the outermost
// script or service began.
func begun(line []command) string {
	last := ""
	for i, c := range line[:len(line)-1] {
		if shell := line[i+1]; shell.isShell() {
			if last = strings.Join(c.args, " "); last == "" {
				last = c.comm
			}
			if shell.isInteractive() {
				break
			}
		}
	}
	return last
}
