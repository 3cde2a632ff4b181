package lxd

import (
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"regexp"
	"strings"
	"syscall"

	"github.com/canonical/lxd/shared/api"
)

// away is what is said instead of the words of sockets.
const away = "LXD doesn't answer: it was stopped, or is restarting"

// IsAway reports whether an error is that of an LXD that was stopped, killed,
// hangs or is starting, so that to ask again may help.
func IsAway(err error) bool {
	var dialed *net.OpError
	return errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) ||
		errors.Is(err, syscall.ECONNREFUSED) || errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.EPIPE) ||
		errors.Is(err, os.ErrDeadlineExceeded) ||
		errors.As(err, &dialed) && dialed.Op == "dial" && errors.Is(err, syscall.ENOENT) ||
		api.StatusErrorCheck(err, http.StatusServiceUnavailable) ||
		err != nil && awayWords.MatchString(err.Error())
}

// IsGone reports whether an error is LXD's word that there is no such thing.
func IsGone(err error) bool { return api.StatusErrorCheck(err, http.StatusNotFound) }

// awayWords are of errors that have nothing but words: what the wait for an
// operation ends with when the connection is gone, or nothing comes on it; what
// LXD refuses everything with while it stops; and how these are said.
var awayWords = regexp.MustCompile(`websocket: close 1006|read unix .*i/o timeout|sql: database is closed|` + away)

// said is an error whose words are fit for one line.
type said struct {
	error
	text string
}

func (e said) Error() string { return e.text }
func (e said) Unwrap() error { return e.error }

// plain returns an error of LXD's, or of the way to it, in plain words; nil
// stays nil.
func plain(err error) error {
	if err == nil {
		return nil
	}
	text := clean(err.Error())
	if IsAway(err) {
		text = away
	}
	if text == err.Error() {
		return err
	}
	return said{err, text}
}

var (
	// blanks are what ends a line or isn't to be seen, and the escapes that
	// LXD's quoting makes of it: what dnsmasq printed has runs of NUL bytes.
	blanks = regexp.MustCompile(`(?:\\x[01][0-9a-f]|\\x7f|\\[abfnrtv]|[\x00-\x20\x7f])+`)
	// doubled is what LXD puts before a message that has it already.
	doubled = regexp.MustCompile(`(?:Error: ?)+`)
	inside  = strings.NewReplacer(` ")`, `")`, ` )`, `)`)
)

// clean returns a message of LXD's as one line.
func clean(text string) string {
	text = blanks.ReplaceAllString(text, " ")
	text = doubled.ReplaceAllString(text, "")
	return strings.TrimSpace(inside.Replace(text))
}

// portTaken reports whether dnsmasq was refused its sockets: another one has
// them.
func portTaken(err error) bool {
	return err != nil && strings.Contains(strings.ToLower(err.Error()), "address already in use")
}

// noteTorn reports whether LXD can't tell its dnsmasq by the file that it keeps
// of it: it was killed while it wrote that (LXD 5.0's lxd/dnsmasq).
func noteTorn(err error) bool {
	return err != nil && (strings.Contains(err.Error(), "Unable to kill dnsmasq: Could not kill process") || strings.Contains(err.Error(), "Could not read pid file"))
}

// networkLate reports whether an instance was refused because LXD has not brought
// up a network of it since its own start; of a storage pool it says nearly the same.
func networkLate(err error) bool {
	return err != nil && strings.Contains(err.Error(), `Network "`) && strings.Contains(err.Error(), "unavailable on this server")
}

// memberDown reports whether a cluster refused a change because not all of its
// members are there to make it.
func memberDown(err error) bool {
	return err != nil && (strings.Contains(err.Error(), "Peer cluster member") || strings.Contains(strings.ToLower(err.Error()), "failed to notify peer"))
}
