package table

import (
	"cmp"
	"path"
	"slices"
	"strconv"
	"strings"

	"lxd-allowlist/capture"
	"lxd-allowlist/capture/witness"
	"lxd-allowlist/ui/look"
)

// passed over by [Origin]: what a command begins with that only has another
// one run.
var wrappers = []string{"sudo", "doas", "env", "nice", "nohup", "time", "sh", "bash", "dash", "ash", "zsh", "perl", "python", "python3", "ruby", "node"}

// Origin returns the program that a person would say a process belongs to: that
// of the shell's command which it descends from, "" where there is none.
//
//	sudo apt update       apt
//	FOO=1 sh ./install.sh install.sh
//	python3 -m pip list   pip
func Origin(p witness.Process) string {
	words := strings.Fields(p.Command)
	for i := 0; i < len(words); i++ {
		name := path.Base(words[i])
		switch {
		case words[i] == "-u" || words[i] == "-g": // whose rights sudo takes
			i++
		case strings.HasPrefix(name, "-"), strings.Contains(words[i], "="), slices.Contains(wrappers, name):
		default:
			return look.Clean(name)
		}
	}
	if len(words) == 0 {
		return ""
	}
	return look.Clean(path.Base(words[0]))
}

// Program returns the path of what a process runs, behind the kernel's name for it
// where it goes by another than its file, and that name where the path isn't known.
//
//	/usr/lib/apt/methods/https
//	nslookup (/bin/busybox)
func Program(p witness.Process) string { return called(p, p.Exe) }

// called is Program with that in place of the path.
func called(p witness.Process, file string) string {
	switch {
	case p.Exe == "":
		return look.Clean(p.Comm)
	case p.ByOtherName():
		return look.Clean(p.Comm + " (" + file + ")")
	}
	return look.Clean(file)
}

// busiest returns the actor that did most, and how many there are beside it.
func busiest(actors []capture.Actor, others uint32) (a capture.Actor, more int) {
	a = slices.MaxFunc(actors, func(a, b capture.Actor) int { return cmp.Compare(a.Queries+a.Connections, b.Queries+b.Connections) })
	if more = len(actors) - 1; others > 0 {
		more++
	}
	return a, more
}

// appendActors appends who did something, in so many cells: the one that did
// most, and how many others did. Of that one the command stays, the path of its
// program goes first.
//
//	apt → /usr/lib/apt/methods/https +2
//	apt → https +2
//	apt +2
//	nslookup (busybox)
func appendActors(b []byte, r capture.Reader, actors []capture.Actor, others uint32, w int) []byte {
	if len(actors) == 0 {
		return b
	}
	a, more := busiest(actors, others)
	p, ok := r.Process(a.Process)
	if !ok {
		return b
	}
	program, origin, rest := Program(p), Origin(p), ""
	file := path.Base(p.Exe)
	if more > 0 {
		rest = " +" + strconv.Itoa(more)
	}
	name := called(p, file)
	long, short := program, name
	if origin != "" && origin != look.Clean(file) && origin != look.Clean(p.Comm) {
		long, short = origin+" → "+program, origin+" → "+name
	}
	for _, text := range []string{long, short} {
		if look.Width(text)+len(rest) <= w {
			return append(append(b, text...), rest...)
		}
	}
	return append(append(b, look.Shorten(cmp.Or(origin, name), max(1, w-len(rest)))...), rest...)
}

// actorNames calls yield with each name that somebody who did something goes
// by, each once: those of its program, the kernel's, and of the command that it
// descends from.
func actorNames(r capture.Reader, actors []capture.Actor, yield func(string)) {
	var names []string
	for _, a := range actors {
		if p, ok := r.Process(a.Process); ok {
			names = append(names, look.Clean(path.Base(cmp.Or(p.Exe, p.Comm))), look.Clean(p.Comm), Origin(p))
		}
	}
	slices.Sort(names)
	for _, name := range slices.Compact(names) {
		if name != "" {
			yield(name)
		}
	}
}
