// Package parse reads the query log of dnsmasq 2.79 to 2.92, line by line,
// and normalises the names in it.
//
//	bytes --Splitter--> lines --Record.Parse--> records --AppendName--> names
//
// A line is a prefix and a message. The prefix is dnsmasq's own or that of
// what passed the line on, be it syslog, the journal, a container's runtime, a
// cluster, a collector with its JSON, Pi-hole's tail, grep or a mail; every
// part of it may be missing:
//
//	<30>Nov 23 10:00:00 host dnsmasq[123]: MESSAGE
//	    a log file has no priority and no host; the journal prints the host;
//	    standard error has no time; `journalctl -o cat` prints the message alone
//
// It is read from the line's beginning, part by part, each by its own form, and
// remembered: most lines start as the one before, but for digits. All forms
// that are known are in wrapper_test.go. Another program's tag may be that of a
// collector; [Record] learns from the log which are.
//
// The process in brackets is no key to anything: each TCP connection has one
// of its own. Tags such as dnsmasq-dhcp are other subsystems. The messages:
//
//	query[TYPE] NAME from ADDR         a client asked; auth[TYPE] for a zone of dnsmasq's own
//	forwarded NAME to ADDR             an upstream was asked; so too dnssec-query[TYPE]
//	SOURCE NAME is RESULT              an answer; SOURCE is reply, cached, cached-stale,
//	                                   config, DHCP, auth or the path of a hosts file
//	SOURCE error is SERVFAIL           an answer that doesn't say to what; so too
//	                                   "reply is truncated"
//	UDP 17 ADDR/PORT MESSAGE           with log-queries=extra, all of the above: the query's
//	                                   serial and who asked; the protocol from 2.91 on
//
// # What a hostile client can do
//
// A name is printed as it came, and any printable character may be in it, so
// " from ", " is " and whole messages may stand inside a name. A line is
// therefore read from its fixed ends: the message starts right behind the
// prefix, the client is what follows the last " from ", and it has to be an
// address and nothing else. With log-queries=extra it also has to be the one
// before the message. A line that starts like a query and breaks this is
// [Garbled]. A line as long as dnsmasq's buffer was cut, perhaps within a name
// that was made for it, and is [Cut]. Neither has a name.
//
// In an answer the result is what follows the last " is ". A TXT record with
// such words in it moves them into the name, which no host name can then
// equal; the other choice would let a queried name forge an answer for
// another one.
//
// Two things can't be told from a line. The text of a TXT record may look
// like another result. And dnsmasq prints the name of a "possible DNS-rebind
// attack" with its line breaks, up to 2.85 those of TXT records too: an
// upstream that plays along can so write any line at all.
package parse
