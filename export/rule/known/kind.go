package known

// Kind says what a name is for, as far as an allow-list is concerned.
type Kind uint8

// The kinds. Names of the first group open a way round the list; those of the
// second only tell what a name is.
const (
	Resolver  Kind = iota // DNS over HTTPS, TLS or QUIC
	Tunnel                // tunnels, VPNs, remote control
	Proxy                 // fetches any page
	Hosting               // a name below it for everybody who wants one
	Shared                // one name for what everybody puts there
	Drop                  // texts and files of anyone
	Shortener             // links to anywhere
	Catcher               // takes requests and passes them on
	Address               // what is my address
	DynDNS                // names whose address their holder changes

	Certificates // revocation, issuers, issuing
	Time
	Connectivity // is there an internet
	System       // the operating systems' and clouds' own hosts
	Packages     // package managers' own hosts
	Telemetry
	CDN     // chosen libraries and fonts, nobody else's
	Special // special-use names

	kinds = iota
)

// kindWords are, for each kind, the name of its file, the words for people (a
// noun with "a" before it, in the first group), and what an allowed name of
// that kind does, "" if that opens nothing.
var kindWords = [kinds]struct{ word, title, opens string }{
	Resolver:     {"resolver", "DNS resolver", "answers any DNS query, past the log and the list"},
	Tunnel:       {"tunnel", "tunnel", "carries any other traffic, to and from anywhere"},
	Proxy:        {"proxy", "proxy", "fetches pages of any other name"},
	Hosting:      {"hosting", "shared hosting domain", "has a name below it for anyone who wants one"},
	Shared:       {"shared", "shared host", "serves what anyone puts there, all under one name"},
	Drop:         {"drop", "paste or file drop", "stores what anyone sends and hands it out again"},
	Shortener:    {"shortener", "link shortener", "leads to any address, which the name does not tell"},
	Catcher:      {"catcher", "request catcher", "takes what is sent and passes it on to anyone"},
	Address:      {"address", "what-is-my-address service", "tells by which address and place one comes"},
	DynDNS:       {"dyndns", "dynamic DNS name", "leads to whatever address its holder sets"},
	Certificates: {"certificates", "certificates", ""},
	Time:         {"time", "time server", ""},
	Connectivity: {"connectivity", "connectivity check", ""},
	System:       {"system", "operating system or cloud", ""},
	Packages:     {"packages", "packages", ""},
	Telemetry:    {"telemetry", "telemetry", ""},
	CDN:          {"cdn", "libraries and fonts", ""},
	Special:      {"special", "special-use name", ""},
}

// String returns the kind in words for people.
func (k Kind) String() string { return kindWords[k].title }

// Opens says what an allowed name of this kind does that leads round the
// list, "" if nothing.
func (k Kind) Opens() string { return kindWords[k].opens }

// opensExact reports whether an exact rule is enough to open it. On shared
// hosting the exact name is one tenant's.
func (k Kind) opensExact() bool { return k != Hosting && k.Opens() != "" }
