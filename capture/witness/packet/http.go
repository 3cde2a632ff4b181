package packet

import "bytes"

// longestMethod is the longest word that is taken for a request's beginning:
// UPDATEREDIRECTREF is the longest that IANA has.
const longestMethod = 20

// readHTTP reads the head of a request of HTTP/1 as far as its Host. HTTP/2
// that begins without TLS is something else.
func readHTTP(b []byte) (Hello, error) {
	h := Hello{Protocol: "http"}
	method := 0
	for method < len(b) && method < longestMethod && ('A' <= b[method] && b[method] <= 'Z' || b[method] == '-') {
		method++
	}
	switch {
	case method == len(b) && method < longestMethod:
		return Hello{}, ErrMore
	case method == len(b) || method == 0 || b[method] != ' ':
		return Hello{}, ErrOther
	}
	line, rest, whole := bytes.Cut(b, []byte("\n"))
	if !whole {
		return Hello{}, ErrMore
	}
	if version := bytes.LastIndexByte(line, ' '); !bytes.HasPrefix(line[version+1:], []byte("HTTP/1.")) {
		return Hello{}, ErrOther
	}
	for {
		line, rest, whole = bytes.Cut(rest, []byte("\n"))
		if !whole {
			return Hello{}, ErrMore
		}
		if line = bytes.TrimSuffix(line, []byte("\r")); len(line) == 0 {
			return h, nil
		}
		key, value, _ := bytes.Cut(line, []byte(":"))
		if bytes.EqualFold(key, []byte("Host")) {
			h.Server = normal(host(bytes.TrimSpace(value)))
			return h, nil
		}
	}
}

// host takes the port off, and the brackets of an IPv6 address.
func host(b []byte) []byte {
	if address, _, ok := bytes.Cut(b, []byte("]")); ok && b[0] == '[' {
		return address[1:]
	}
	name, _, _ := bytes.Cut(b, []byte(":"))
	return name
}
