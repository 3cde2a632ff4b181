package rule

import "testing"

func TestDigestIsOfWhatIsAllowed(t *testing.T) {
	a := Digest([]Rule{{Name: "a.example", Reason: "x"}, {Name: "b.example", Suffix: true}})
	if b := Digest([]Rule{{Name: "b.example", Suffix: true, Source: "user"}, {Name: "a.example"}, {Name: "a.example"}}); a != b {
		t.Errorf("the same list has the digests %s and %s", a, b)
	}
	if b := Digest([]Rule{{Name: "a.example"}, {Name: "b.example"}}); a == b {
		t.Error("a suffix rule has the digest of an exact one")
	}
}
