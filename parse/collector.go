package parse

import "bytes"

// collectors is what is known of the programs whose tags stand in a log. A
// collector passes on other programs' lines under a tag of its own, tags and
// all; another program may print what a client sent, and so such a line. What
// tells the two apart is the log: a collector's lines are all of that kind,
// and where dnsmasq writes under its own tag there is none before it.
type collectors struct {
	direct    bool          // dnsmasq's own tag was there without another before it
	strangers [1 << 10]bool // by a hash of the tag: writes lines of its own
}

func (c *collectors) trusts(tag []byte) bool { return !c.direct && !c.strangers[hashOf(tag)] }

func (c *collectors) distrust(tag []byte) { c.strangers[hashOf(tag)] = true }

// hashOf is FNV-1a, cut to the size of the table.
func hashOf(tag []byte) uint32 {
	h := uint32(2166136261)
	for _, c := range tag {
		h = (h ^ uint32(c)) * 16777619
	}
	return (h ^ h>>16) % (1 << 10)
}

// from reads what stands behind a program's tag.
func (w *wrapper) from(tag, rest []byte) maker {
	w.marked = true
	rest = rest[noiseLen(rest):]
	if isOurs(tag) {
		w.rest = rest
		if message, ok := afterTag(rest); ok {
			w.ownTag(rest, message)
		}
		return ours
	}
	if !bytes.HasPrefix(tag, []byte(tagName+"-")) && w.depth < maxDepth {
		inner := wrapper{collectors: w.collectors, depth: w.depth + 1}
		if inner.read(rest) == ours && inner.tagLen > 0 {
			if !w.collectors.trusts(tag) {
				return unknown
			}
			w.adopt(&inner)
			w.nested = true
			return ours
		}
	}
	w.collectors.distrust(tag)
	w.tag, w.rest = tag, rest
	return foreign
}

// named reads what stands behind a name at the line's beginning, without a
// colon behind it: that of a host, a container or, by stern, a pod and its container.
// It may be any word of another program's, and is trusted as a collector's tag
// is.
func (w *wrapper) named(name, rest []byte) maker {
	w.marked = true
	for _, c := range name {
		if !nameByte[c] {
			return unknown
		}
	}
	inner := wrapper{collectors: w.collectors, depth: w.depth + 1, names: w.names + 1}
	if inner.names <= 2 && inner.read(rest) == ours && inner.tagLen > 0 && !inner.timed {
		if !w.collectors.trusts(name) {
			return unknown
		}
		w.adopt(&inner)
		w.nested = true
		return ours
	}
	w.collectors.distrust(name)
	return unknown
}

// adopt takes over what stands in the line within the line.
func (w *wrapper) adopt(inner *wrapper) {
	w.rest, w.tagLen, w.process, w.nested = inner.rest, inner.tagLen, inner.process, w.nested || inner.nested
	w.loose, w.json = w.loose || inner.loose, w.json || inner.json
	if inner.dated || w.stamp == nil {
		w.stamp = inner.stamp
	}
}

// tagOf returns the program's name in "name[123]:".
func tagOf(word []byte) []byte {
	word = bytes.TrimSuffix(word, []byte(":"))
	if open := bytes.IndexByte(word, '['); open > 0 && word[len(word)-1] == ']' {
		if n := countDigits(word[open+1:]); n == 0 || n != len(word)-open-2 {
			return word
		}
		return word[:open]
	}
	return word
}

// isOurs reports whether a tag is dnsmasq's, or that of a unit of systemd that
// runs it: journalctl -o with-unit prints the unit in the place of the tag.
func isOurs(tag []byte) bool {
	name := tag[bytes.LastIndexByte(tag, '/')+1:]
	if string(name) == tagName || string(name) == "pihole-FTL" {
		return true
	}
	unit, ok := bytes.CutSuffix(name, []byte(".service"))
	if !ok {
		return false
	}
	unit, _, _ = bytes.Cut(unit, []byte("@"))
	for _, name := range unitNames {
		if string(unit) == name {
			return true
		}
	}
	return false
}

// unitNames are the services that run a dnsmasq.
var unitNames = []string{
	tagName, "pihole-FTL", "lxd", "snap.lxd.daemon", "incus", "lxc-net",
	"NetworkManager", "libvirtd", "virtnetworkd",
}
