// A program for an instance that asks and connects in every way, and prints
// what it did: KIND PID NAME, or KIND PID LOCAL REMOTE. It has no libraries.
package main

import (
	"fmt"
	"net"
	"os"
	"time"

	"golang.org/x/net/dns/dnsmessage"
)

func main() {
	if os.Args[1] == "ready" { // SERVER: until it can be reached
		for until := time.Now().Add(30 * time.Second); time.Now().Before(until); time.Sleep(50 * time.Millisecond) {
			if c, err := net.DialTimeout("tcp", os.Args[2], time.Second); err == nil {
				c.Close()
				return
			}
		}
		os.Exit(1)
	}
	if os.Args[1] == "flash" { // SERVER: asks, and is gone
		ask("udp", os.Args[2], "flash", false)
		return
	}
	// RESOLVER4 RESOLVER6 SERVER4 SERVER6
	for i, version := range []string{"4", "6"} {
		ask("udp"+version, os.Args[1+i], "udp"+version, true)
		ask("tcp"+version, os.Args[1+i], "tcp"+version, true)
		for _, network := range []string{"udp", "tcp"} {
			c, err := net.Dial(network, os.Args[3+i])
			if err != nil {
				fmt.Println("failed", os.Getpid(), network, err)
				continue
			}
			_, _ = c.Write([]byte("hello"))
			fmt.Println(network, os.Getpid(), c.LocalAddr(), c.RemoteAddr())
			c.Close()
		}
	}
}

func ask(network, server, how string, wait bool) {
	c, err := net.Dial(network, server)
	if err != nil {
		fmt.Println("failed", os.Getpid(), how, err)
		return
	}
	defer c.Close()
	name := fmt.Sprintf("%s-%d.example.test", how, os.Getpid())
	m := dnsmessage.Message{Header: dnsmessage.Header{ID: 7, RecursionDesired: true}, Questions: []dnsmessage.Question{
		{Name: dnsmessage.MustNewName(name + "."), Type: dnsmessage.TypeA, Class: dnsmessage.ClassINET},
	}}
	b, err := m.Pack()
	if err != nil {
		panic(err)
	}
	if network[:3] == "tcp" {
		b = append([]byte{byte(len(b) >> 8), byte(len(b))}, b...)
	}
	fmt.Println("query", os.Getpid(), name)
	_, _ = c.Write(b)
	if wait {
		_ = c.SetReadDeadline(time.Now().Add(5 * time.Second))
		_, _ = c.Read(make([]byte, 512))
	}
}
