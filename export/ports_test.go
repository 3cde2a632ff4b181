package export

import (
	"bytes"
	"testing"
)

// What a format says of ports is what ports do to its file.
func TestPortsField(t *testing.T) {
	c := compile(t, "www.example.com")
	for _, f := range Formats() {
		some, errSome := Render(f, c, Options{Ports: []int{443}})
		others, errOthers := Render(f, c, Options{Ports: []int{443, 80, 8443}})
		if errSome != nil || errOthers != nil || bytes.Equal(some, others) == f.Ports {
			t.Errorf("%s: it has ports %v, %v, %v\n%s", f.Name, f.Ports, errSome, errOthers, others)
		}
	}
}
