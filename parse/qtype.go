package parse

// typeByte is what a query type's name is made of.
var typeByte = setOf("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_")

// bracketed splits "[TYPE] rest".
func bracketed(b []byte) (t, rest []byte, ok bool) {
	i := 1
	for i < len(b) && typeByte[b[i]] {
		i++
	}
	if i == 1 && hasPrefix(b, "[type=") { // one that dnsmasq has no name for
		digits := countDigits(b[len("[type="):])
		if digits == 0 || digits > len("65535") {
			return nil, nil, false
		}
		i = len("[type=") + digits
	}
	if i == 1 || i+1 >= len(b) || b[i] != ']' || b[i+1] != ' ' {
		return nil, nil, false
	}
	return b[1:i], b[i+2:], true
}

// typeName returns t with the name of a type that some dnsmasq versions print
// by its number only, so that one type has one name in the logs of them all.
func typeName(t []byte) []byte {
	if t[0] != 't' {
		return t
	}
	if name, ok := typeNames[string(t)]; ok {
		return name
	}
	return t
}

var typeNames = map[string][]byte{
	"type=1":   []byte("A"),
	"type=2":   []byte("NS"),
	"type=5":   []byte("CNAME"),
	"type=6":   []byte("SOA"),
	"type=12":  []byte("PTR"),
	"type=13":  []byte("HINFO"),
	"type=15":  []byte("MX"),
	"type=16":  []byte("TXT"),
	"type=28":  []byte("AAAA"),
	"type=29":  []byte("LOC"),
	"type=33":  []byte("SRV"),
	"type=35":  []byte("NAPTR"),
	"type=37":  []byte("CERT"),
	"type=39":  []byte("DNAME"),
	"type=43":  []byte("DS"),
	"type=44":  []byte("SSHFP"),
	"type=45":  []byte("IPSECKEY"),
	"type=46":  []byte("RRSIG"),
	"type=47":  []byte("NSEC"),
	"type=48":  []byte("DNSKEY"),
	"type=50":  []byte("NSEC3"),
	"type=52":  []byte("TLSA"),
	"type=53":  []byte("SMIMEA"),
	"type=59":  []byte("CDS"),
	"type=60":  []byte("CDNSKEY"),
	"type=61":  []byte("OPENPGPKEY"),
	"type=62":  []byte("CSYNC"),
	"type=63":  []byte("ZONEMD"),
	"type=64":  []byte("SVCB"),
	"type=65":  []byte("HTTPS"),
	"type=99":  []byte("SPF"),
	"type=255": []byte("ANY"),
	"type=256": []byte("URI"),
	"type=257": []byte("CAA"),
}
