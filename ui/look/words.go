package look

import (
	"fmt"
	"time"
)

// Age says how long ago something was, in at most five cells.
func Age(d time.Duration) string {
	switch {
	case d < time.Second:
		return "now"
	case d < time.Minute:
		return fmt.Sprintf("%ds", int(d.Seconds()))
	case d < time.Hour:
		return fmt.Sprintf("%dm", int(d.Minutes()))
	case d < 48*time.Hour:
		return fmt.Sprintf("%dh", int(d.Hours()))
	case d < 1000*24*time.Hour:
		return fmt.Sprintf("%dd", int(d.Hours())/24)
	}
	return "long"
}

// Ago is [Age] within a sentence: "3m ago", "now".
func Ago(d time.Duration) string {
	a := Age(d)
	if a == "now" {
		return a
	}
	return a + " ago"
}

// Count writes a number in at most five cells.
func Count(n uint64) string {
	switch {
	case n < 100_000:
		return fmt.Sprint(n)
	case n < 10_000_000:
		return fmt.Sprintf("%dk", n/1000)
	}
	return fmt.Sprintf("%dM", n/1_000_000)
}

// Plural is "1 domain", "2 domains".
func Plural(n int, one string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %ss", n, one)
}
