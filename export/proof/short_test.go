package proof

import (
	"flag"
	"fmt"
	"os"
	"testing"
)

// atEnd takes away what several tests share.
var atEnd []func()

// TestMain leaves all of this out of a short run: the software that lists are
// for need not be there then.
func TestMain(m *testing.M) {
	flag.Parse()
	if testing.Short() {
		fmt.Println("not in short mode: it needs the software that lists are for")
		return
	}
	code := m.Run()
	for _, do := range atEnd {
		do()
	}
	os.Exit(code)
}
