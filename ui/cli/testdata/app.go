// A program for an instance that asks for a name and says what it reads, in hex,
// over a connection: RESOLVER NETWORK NAME TO. What is "-" is left out. It has no
// libraries.
package main

import (
	"encoding/hex"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"time"

	"golang.org/x/net/dns/dnsmessage"
)

const patience = 20 * time.Second

func main() {
	resolver, network, name, to := os.Args[1], os.Args[2], os.Args[3], os.Args[4]
	if err := ask(resolver, network, name); err != nil {
		fmt.Println(strings.Join(os.Args, " "), err)
		os.Exit(1)
	}
	if to == "-" {
		return
	}
	text, _ := io.ReadAll(os.Stdin)
	b, _ := hex.DecodeString(strings.TrimSpace(string(text)))
	if err := say(network, to, b); err != nil {
		fmt.Println(strings.Join(os.Args, " "), err)
		os.Exit(1)
	}
}

// ask asks the bridge's resolver and awaits its answer, and of another, where
// nobody says anything, no answer.
func ask(resolver, network, name string) error {
	if name == "-" {
		return nil
	}
	kind := dnsmessage.TypeA
	if strings.HasSuffix(network, "6") {
		kind = dnsmessage.TypeAAAA
	}
	m := dnsmessage.Message{Header: dnsmessage.Header{ID: uint16(os.Getpid()), RecursionDesired: true}, Questions: []dnsmessage.Question{
		{Name: dnsmessage.MustNewName(name + "."), Type: kind, Class: dnsmessage.ClassINET},
	}}
	b, err := m.Pack()
	if err != nil {
		return err
	}
	if os.Args[4] == "-" {
		if strings.HasPrefix(network, "tcp") {
			b = append([]byte{byte(len(b) >> 8), byte(len(b))}, b...)
		}
		return say(network, resolver, b)
	}
	c, err := net.Dial("udp", resolver)
	if err != nil {
		return err
	}
	defer c.Close()
	_ = c.SetDeadline(time.Now().Add(patience))
	if _, err = c.Write(b); err == nil {
		_, err = c.Read(make([]byte, 512))
	}
	return err
}

// say says something to who hears it and ends the connection.
func say(network, to string, b []byte) error {
	c, err := net.DialTimeout(network, to, patience)
	if err != nil {
		return err
	}
	defer c.Close()
	_ = c.SetDeadline(time.Now().Add(patience))
	if _, err = c.Write(b); err == nil && strings.HasPrefix(network, "tcp") {
		_, _ = io.Copy(io.Discard, c) // however it ends
	}
	return err
}
