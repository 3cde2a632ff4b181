package look

import (
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/charmbracelet/x/ansi"
)

// Age says how long ago something was, in at most five cells.
func Age(d time.Duration) string { return string(AppendAge(nil, d)) }

// AppendAge appends an [Age].
func AppendAge(b []byte, d time.Duration) []byte {
	unit := func(of time.Duration, name byte) []byte { return append(strconv.AppendInt(b, int64(d/of), 10), name) }
	switch {
	case d < time.Second:
		return append(b, "now"...)
	case d < time.Minute:
		return unit(time.Second, 's')
	case d < time.Hour:
		return unit(time.Minute, 'm')
	case d < 48*time.Hour:
		return unit(time.Hour, 'h')
	case d < 1000*24*time.Hour:
		return unit(24*time.Hour, 'd')
	}
	return append(b, "long"...)
}

// Ago is [Age] within a sentence: "3m ago", "now".
func Ago(d time.Duration) string {
	a := Age(d)
	if a == "now" {
		return a
	}
	return a + " ago"
}

// AppendCount appends a number in at most five cells.
func AppendCount(b []byte, n uint64) []byte {
	switch {
	case n < 100_000:
		return strconv.AppendUint(b, n, 10)
	case n < 10_000_000:
		return append(strconv.AppendUint(b, n/1000, 10), 'k')
	}
	return append(strconv.AppendUint(b, n/1_000_000, 10), 'M')
}

// AppendShortCount appends a number in at most three cells: "999", "12k", ".3M".
func AppendShortCount(b []byte, n uint32) []byte {
	if n < 1000 {
		return strconv.AppendUint(b, uint64(n), 10)
	}
	const units = "kMG"
	for i := range units {
		switch {
		case n < 100_000:
			return append(strconv.AppendUint(b, uint64(n/1000), 10), units[i])
		case n < 1_000_000:
			return append(b, '.', '0'+byte(n/100_000), units[i+1])
		}
		n /= 1000
	}
	return b // no number comes here
}

// fewMost is how many of a list are named.
const fewMost = 5

// Few names the first of a list, and how many there are beside: "a, b, and 12
// more".
func Few(list []string) string {
	if n := len(list) - fewMost; n > 0 {
		return fmt.Sprintf("%s, and %d more", strings.Join(list[:fewMost], ", "), n)
	}
	return strings.Join(list, ", ")
}

// Plural is "1 domain", "2 domains".
func Plural(n int, one string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %ss", n, one)
}

// Clean returns a text of the instance's, fit for the screen: what can't be
// printed, turns the direction of what follows, or joins with a letter, or with
// the blank in front of the text, to what takes other cells, as emoji's variation
// selector does, is �.
func Clean(text string) string {
	text = strings.Map(func(c rune) rune {
		if !unicode.IsPrint(c) {
			return unicode.ReplacementChar
		}
		return c
	}, text)
	if isPlain(text) {
		return text
	}
	var b strings.Builder
	for rest := " " + text; rest != ""; {
		cluster, w := ansi.FirstGraphemeCluster(rest, ansi.GraphemeWidth)
		rest = rest[len(cluster):]
		if cluster[0] < utf8.RuneSelf && w != 1+ansi.StringWidth(cluster[1:]) { // not all count it as one
			cluster = cluster[:1] + string(unicode.ReplacementChar)
		}
		b.WriteString(cluster)
	}
	return b.String()[1:]
}

// Shorten cuts a text to so many cells, with a mark where it was longer.
func Shorten(text string, w int) string { return ansi.Truncate(text, w, "…") }
