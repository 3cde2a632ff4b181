package parse

import "strconv"

// typeByte is what a query type's name is made of.
var typeByte = setOf("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_")

// bracketed splits "[TYPE] rest".
func bracketed(b []byte) (t, rest []byte, ok bool) {
	switch { // nearly all
	case hasPrefix(b, "[A] "):
		return b[1:2], b[len("[A] "):], true
	case hasPrefix(b, "[AAAA] "):
		return b[1:5], b[len("[AAAA] "):], true
	}
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

// TypeName returns the name that a query type has in records, "type=N" if it
// has none.
func TypeName(t uint16) string {
	if int(t) < len(common) {
		return common[t]
	}
	return formatType(t)
}

// common are the names of types up to HTTPS, which nearly all queries have: each
// of a million packets' needn't be made.
var common = func() (names [66]string) {
	for t := range names {
		names[t] = formatType(uint16(t))
	}
	return names
}()

func formatType(t uint16) string {
	return string(typeName(strconv.AppendUint([]byte("type="), uint64(t), 10)))
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

// typeNames are those of dnsmasq 2.90.
var typeNames = map[string][]byte{
	"type=1":     []byte("A"),
	"type=2":     []byte("NS"),
	"type=3":     []byte("MD"),
	"type=4":     []byte("MF"),
	"type=5":     []byte("CNAME"),
	"type=6":     []byte("SOA"),
	"type=7":     []byte("MB"),
	"type=8":     []byte("MG"),
	"type=9":     []byte("MR"),
	"type=10":    []byte("NULL"),
	"type=11":    []byte("WKS"),
	"type=12":    []byte("PTR"),
	"type=13":    []byte("HINFO"),
	"type=14":    []byte("MINFO"),
	"type=15":    []byte("MX"),
	"type=16":    []byte("TXT"),
	"type=17":    []byte("RP"),
	"type=18":    []byte("AFSDB"),
	"type=19":    []byte("X25"),
	"type=20":    []byte("ISDN"),
	"type=21":    []byte("RT"),
	"type=22":    []byte("NSAP"),
	"type=23":    []byte("NSAP_PTR"),
	"type=24":    []byte("SIG"),
	"type=25":    []byte("KEY"),
	"type=26":    []byte("PX"),
	"type=27":    []byte("GPOS"),
	"type=28":    []byte("AAAA"),
	"type=29":    []byte("LOC"),
	"type=30":    []byte("NXT"),
	"type=31":    []byte("EID"),
	"type=32":    []byte("NIMLOC"),
	"type=33":    []byte("SRV"),
	"type=34":    []byte("ATMA"),
	"type=35":    []byte("NAPTR"),
	"type=36":    []byte("KX"),
	"type=37":    []byte("CERT"),
	"type=38":    []byte("A6"),
	"type=39":    []byte("DNAME"),
	"type=40":    []byte("SINK"),
	"type=41":    []byte("OPT"),
	"type=42":    []byte("APL"),
	"type=43":    []byte("DS"),
	"type=44":    []byte("SSHFP"),
	"type=45":    []byte("IPSECKEY"),
	"type=46":    []byte("RRSIG"),
	"type=47":    []byte("NSEC"),
	"type=48":    []byte("DNSKEY"),
	"type=49":    []byte("DHCID"),
	"type=50":    []byte("NSEC3"),
	"type=51":    []byte("NSEC3PARAM"),
	"type=52":    []byte("TLSA"),
	"type=53":    []byte("SMIMEA"),
	"type=55":    []byte("HIP"),
	"type=56":    []byte("NINFO"),
	"type=57":    []byte("RKEY"),
	"type=58":    []byte("TALINK"),
	"type=59":    []byte("CDS"),
	"type=60":    []byte("CDNSKEY"),
	"type=61":    []byte("OPENPGPKEY"),
	"type=62":    []byte("CSYNC"),
	"type=63":    []byte("ZONEMD"),
	"type=64":    []byte("SVCB"),
	"type=65":    []byte("HTTPS"),
	"type=99":    []byte("SPF"),
	"type=100":   []byte("UINFO"),
	"type=101":   []byte("UID"),
	"type=102":   []byte("GID"),
	"type=103":   []byte("UNSPEC"),
	"type=104":   []byte("NID"),
	"type=105":   []byte("L32"),
	"type=106":   []byte("L64"),
	"type=107":   []byte("LP"),
	"type=108":   []byte("EUI48"),
	"type=109":   []byte("EUI64"),
	"type=249":   []byte("TKEY"),
	"type=250":   []byte("TSIG"),
	"type=251":   []byte("IXFR"),
	"type=252":   []byte("AXFR"),
	"type=253":   []byte("MAILB"),
	"type=254":   []byte("MAILA"),
	"type=255":   []byte("ANY"),
	"type=256":   []byte("URI"),
	"type=257":   []byte("CAA"),
	"type=258":   []byte("AVC"),
	"type=259":   []byte("DOA"),
	"type=260":   []byte("AMTRELAY"),
	"type=261":   []byte("RESINFO"),
	"type=32768": []byte("TA"),
	"type=32769": []byte("DLV"),
}
