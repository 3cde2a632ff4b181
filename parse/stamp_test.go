package parse

import (
	"testing"
	"time"
)

var reference2026 = time.Date(2026, 11, 23, 21, 16, 0, 0, time.UTC)

func TestTime(t *testing.T) {
	berlin := time.FixedZone("", 3600)
	leap := time.Date(2031, 1, 1, 0, 0, 0, 0, time.UTC)
	for _, test := range []struct {
		stamp string
		ref   time.Time
		want  string // "" for none
	}{
		{"Nov 23 10:00:00", reference2026, "2026-11-23T10:00:00Z"},
		{"Nov  3 10:00:00", reference2026, "2026-11-03T10:00:00Z"},
		{"Nov 23 10:00:00.25", reference2026, "2026-11-23T10:00:00.25Z"},
		{"Nov 23 10:00:00", reference2026.In(berlin), "2026-11-23T10:00:00+01:00"},
		{"Nov 24 21:16:00", reference2026, "2026-11-24T21:16:00Z"},
		{"Nov 24 21:16:01", reference2026, "2025-11-24T21:16:01Z"},
		{"Dec 31 23:59:59", reference2026, "2025-12-31T23:59:59Z"},
		{"Jan  1 00:00:00", time.Date(2026, 12, 31, 12, 0, 0, 0, time.UTC), "2027-01-01T00:00:00Z"},
		{"Feb 29 10:00:00", leap, "2028-02-29T10:00:00Z"},
		{"Feb 29 10:00:00", time.Date(2103, 1, 1, 0, 0, 0, 0, time.UTC), "2096-02-29T10:00:00Z"},
		{"2026-11-23T10:00:00", reference2026.In(berlin), "2026-11-23T10:00:00+01:00"},
		{"2026-11-23T10:00:00Z", reference2026, "2026-11-23T10:00:00Z"},
		{"2026-11-23T10:00:00+0100", reference2026, "2026-11-23T09:00:00Z"},
		{"2026-11-23T10:00:00-03:30", reference2026, "2026-11-23T13:30:00Z"},
		{"2026-11-23T10:00:00.123456789+01:00", reference2026.In(berlin), "2026-11-23T10:00:00.123456789+01:00"},
		{"2030-01-01T00:00:00Z", reference2026, "2030-01-01T00:00:00Z"},
		{"Feb 30 10:00:00", reference2026, ""},
		{"Nov 31 10:00:00", reference2026, ""},
		{"Nov  0 10:00:00", reference2026, ""},
		{"Nov 23 24:00:00", reference2026, ""},
		{"Nov 23 10:60:00", reference2026, ""},
		{"2026-13-01T10:00:00Z", reference2026, ""},
		{"2026-13-01T10:00:00+0100", reference2026, ""},
		{"2026-02-29T10:00:00+01:00", reference2026, ""},
		{"2261-12-31T23:59:59Z", reference2026, "2261-12-31T23:59:59Z"},
		{"2262-01-01T00:00:00Z", reference2026, ""},
		{"Nov 10 0010 00:00:00", reference2026, ""},
		{"9999999999", reference2026, ""},
	} {
		var r Record
		r.Parse([]byte(test.stamp + " dnsmasq[1]: cleared cache"))
		if string(r.Stamp) != test.stamp {
			t.Errorf("%q: the stamp is %q", test.stamp, r.Stamp)
		}
		got := ""
		if at, ok := r.Time(test.ref); ok || !at.IsZero() {
			got = at.Format(time.RFC3339Nano)
		}
		if got != test.want {
			t.Errorf("%q at %v is %q, want %q", test.stamp, test.ref, got, test.want)
		}
	}
}

// TestTimeOfNextLine holds the record to notice that the next line's time, or
// what it is relative to, is another one.
func TestTimeOfNextLine(t *testing.T) {
	var r Record
	for _, step := range []struct {
		line string
		ref  time.Time
		want int64
		ok   bool
	}{
		{"Nov 23 10:00:00 dnsmasq[1]: cleared cache", reference2026, 1795428000, true},
		{"Nov 23 10:00:01 dnsmasq[1]: cleared cache", reference2026, 1795428001, true},
		{"dnsmasq[1]: cleared cache", reference2026, 0, false},
		{"Nov 23 10:00:01 dnsmasq[1]: cleared cache", reference2026.AddDate(-1, 0, 0), 1763892001, true},
		{"Nov 31 10:00:01 dnsmasq[1]: cleared cache", reference2026, 0, false},
		{"Nov 31 10:00:01 dnsmasq[1]: cleared cache", reference2026, 0, false},
	} {
		r.Parse([]byte(step.line))
		at, ok := r.Time(step.ref)
		if ok != step.ok || ok && at.Unix() != step.want {
			t.Errorf("%q at %v is %v, %t; want %v, %t", step.line, step.ref, at, ok, time.Unix(step.want, 0).UTC(), step.ok)
		}
	}
}
