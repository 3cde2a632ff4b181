// A program for an instance that asks for each name on its standard input, by
// one socket, and prints when it did: nanoseconds since 1970. It is called with
// the resolver's address.
package main

import (
	"bufio"
	"fmt"
	"net"
	"os"
	"time"

	"golang.org/x/net/dns/dnsmessage"
)

func main() {
	conn, err := net.Dial("udp", net.JoinHostPort(os.Args[1], "53"))
	if err != nil {
		fail(err)
	}
	for names := bufio.NewScanner(os.Stdin); names.Scan(); {
		m := dnsmessage.Message{
			Header:    dnsmessage.Header{ID: 7, RecursionDesired: true},
			Questions: []dnsmessage.Question{{Name: dnsmessage.MustNewName(names.Text() + "."), Type: dnsmessage.TypeA, Class: dnsmessage.ClassINET}},
		}
		query, err := m.Pack()
		if err != nil {
			fail(err)
		}
		at := time.Now()
		if _, err := conn.Write(query); err != nil {
			fail(err)
		}
		fmt.Println(at.UnixNano())
	}
}

func fail(err error) {
	fmt.Fprintln(os.Stderr, err)
	os.Exit(1)
}
