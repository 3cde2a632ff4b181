package rule

import (
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strings"
)

// Digest names a list by what it allows, in whatever order it is written: the
// first 16 hexadecimal digits of a SHA-256.
func Digest(rules []Rule) string {
	lines := make([]string, len(rules))
	for i, r := range rules {
		lines[i] = r.Dotted() + "\n"
	}
	slices.Sort(lines)
	sum := sha256.Sum256([]byte(strings.Join(slices.Compact(lines), "")))
	return hex.EncodeToString(sum[:8])
}
