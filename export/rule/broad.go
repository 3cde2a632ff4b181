package rule

import (
	"strings"

	"golang.org/x/net/publicsuffix"
)

// sharedHosts are domains under which anyone can have a name and that the
// list of public suffixes doesn't hold as such.
var sharedHosts = map[string]bool{
	"aliyuncs.com":             true,
	"amazonaws.com":            true,
	"backblazeb2.com":          true,
	"core.windows.net":         true,
	"digitaloceanspaces.com":   true,
	"elb.amazonaws.com":        true,
	"fastly.net":               true,
	"linodeobjects.com":        true,
	"myqcloud.com":             true,
	"oraclecloud.com":          true,
	"r2.cloudflarestorage.com": true,
	"sharepoint.com":           true,
	"wasabisys.com":            true,
	"windows.net":              true,
}

// tooBroad says why a suffix rule on a clean name would open far more than
// anyone can mean, "" if it wouldn't.
func tooBroad(name string) string {
	if !strings.Contains(name, ".") {
		return "is a top-level domain or a single label: as a suffix it allows everything below it"
	}
	if suffix, icann := publicsuffix.PublicSuffix(name); icann && suffix == name {
		return "is a public suffix: as a suffix it allows everybody's domains below it"
	}
	return ""
}

// Warning says what a suffix rule opens beyond what was probably meant, "" if
// nothing is known.
func (r Rule) Warning() string {
	if !r.Suffix {
		return ""
	}
	if suffix, _ := publicsuffix.PublicSuffix(r.Name); suffix == r.Name || sharedHosts[r.Name] {
		return "anyone can have a name below " + r.Name + ", and this rule allows it"
	}
	return ""
}
