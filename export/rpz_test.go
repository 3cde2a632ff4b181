package export

import (
	"strings"
	"testing"
)

// A zone in which a name, or what is below it, is missing, there twice, alone or
// another way than a rule has it, is none of ours.
func TestPolicyZone(t *testing.T) {
	data, err := Render(rpz, compile(t, "www.example.com .example.net"), Options{})
	if err != nil {
		t.Fatal(err)
	}
	_, zone, _ := strings.Cut(string(data), "@ IN NS localhost.\n")
	lines := strings.SplitAfter(zone, "\n")
	lines = lines[:len(lines)-1]
	if rules, err := decodeRPZ([]byte(zone)); err != nil || len(rules) != 2 {
		t.Fatalf("%v, %v:\n%s", rules, err, zone)
	}
	for i, line := range lines {
		owner, _, _ := strings.Cut(line, " ")
		for what, changed := range map[string]string{
			"without": "", "twice": line + line, "with another target for": owner + " CNAME elsewhere.\n", "with a record of another type for": owner + " A 192.0.2.1\n",
		} {
			text := strings.Join(lines[:i], "") + changed + strings.Join(lines[i+1:], "")
			if rules, err := decodeRPZ([]byte(text)); err == nil {
				t.Errorf("%s %s it says %v:\n%s", what, owner, rules, text)
			}
		}
		for j := range i {
			text := strings.Join(lines[:j], "") + line + strings.Join(lines[j:i], "") + strings.Join(lines[i:], "")
			if rules, err := decodeRPZ([]byte(text)); err == nil {
				t.Errorf("with %s twice it says %v:\n%s", owner, rules, text)
			}
		}
	}
}
