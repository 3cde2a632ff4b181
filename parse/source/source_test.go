package source

import (
	"bytes"
	"compress/gzip"
	"io"
	"os"
	"runtime"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/klauspost/compress/zstd"
	"github.com/ulikunitz/xz"
	"golang.org/x/text/encoding/unicode"
)

const log = "Jan  8 21:51:56 dnsmasq[1]: query[A] n1.example.com from 192.0.2.5\nJan  8 21:51:57 dnsmasq[1]: query[A] n2.example.com from 192.0.2.5\n"

// packed returns the log as gzip, xz, zstd or bzip2 packs it.
func packed(t *testing.T, method string) string {
	t.Helper()
	data, err := os.ReadFile("testdata/two." + method)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

func pack[W io.WriteCloser](t *testing.T, open func(io.Writer) (W, error), data string) string {
	t.Helper()
	var b bytes.Buffer
	w, err := open(&b)
	if err == nil {
		_, err = io.WriteString(w, data)
	}
	if err == nil {
		err = w.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func gzipWriter(w io.Writer) (*gzip.Writer, error) { return gzip.NewWriter(w), nil }

func zstdWriter(w io.Writer) (*zstd.Encoder, error) { return zstd.NewWriter(w) }

func utf16(t *testing.T, order unicode.Endianness, mark unicode.BOMPolicy, text string) string {
	t.Helper()
	encoded, err := unicode.UTF16(order, mark).NewEncoder().String(text)
	if err != nil {
		t.Fatal(err)
	}
	return encoded
}

func TestReader(t *testing.T) {
	for _, test := range []struct {
		name, in, want string
		plain, damaged bool
	}{
		{"plain", log, log, true, false},
		{"nothing", "", "", true, false},
		{"one byte", "a", "a", true, false},
		{"gzip", packed(t, "gzip"), log, false, false},
		{"xz", packed(t, "xz"), log, false, false},
		{"zstd", packed(t, "zstd"), log, false, false},
		{"bzip2", packed(t, "bzip2"), log, false, false},
		{"gzip of nothing", pack(t, gzipWriter, ""), "", false, false},
		{"gzip twice", packed(t, "gzip") + packed(t, "gzip"), log + log, false, false},
		{"xz twice", packed(t, "xz") + packed(t, "xz"), log + log, false, false},
		{"zstd twice", packed(t, "zstd") + packed(t, "zstd"), log + log, false, false},
		{"bzip2 twice", packed(t, "bzip2") + packed(t, "bzip2"), log + log, false, false},
		{"gzip, then plain", packed(t, "gzip") + log, log + log, false, false},
		{"gzip, then xz", packed(t, "gzip") + packed(t, "xz"), log + log, false, false},
		{"gzip within zstd", pack(t, zstdWriter, packed(t, "gzip")), log, false, false},
		{"bzip2 within gzip within xz", pack(t, xz.NewWriter, pack(t, gzipWriter, packed(t, "bzip2"))), log, false, false},
		{"UTF-16 within gzip", pack(t, gzipWriter, utf16(t, unicode.LittleEndian, unicode.UseBOM, log)), log, false, false},
		{"UTF-16, low byte first", utf16(t, unicode.LittleEndian, unicode.UseBOM, log), log, false, false},
		{"UTF-16, high byte first", utf16(t, unicode.BigEndian, unicode.UseBOM, log), log, false, false},
		{"UTF-16 without a mark, low byte first", utf16(t, unicode.LittleEndian, unicode.IgnoreBOM, log), log, false, false},
		{"UTF-16 without a mark, high byte first", utf16(t, unicode.BigEndian, unicode.IgnoreBOM, log), log, false, false},
		{"UTF-16 that ends within a character", utf16(t, unicode.LittleEndian, unicode.UseBOM, "ab\n") + "c", "ab\n\uFFFD", false, false},
		{"a hole of NULs", "\x00\x00\x00\x00" + log, "\x00\x00\x00\x00" + log, true, false},
		{"line ends of DOS", strings.ReplaceAll(log, "\n", "\r\n"), strings.ReplaceAll(log, "\n", "\r\n"), true, false},
		{"line ends of an old Mac", strings.ReplaceAll(log, "\n", "\r"), log, false, false},
		{"colours", "\x1b[0;32mJan\x1b[m  8\n\x1b[01;31m\x1b[Kquery\x1b[m\x1b[K[A]\n", "Jan  8\nquery[A]\n", false, false},
		{"a sequence that doesn't end", "a\x1b[0\nb\n", "a\nb\n", false, false},
		{"objects over lines", "{\n\t\"a\" : \"b {\\\"c\\\"} d\",\n\t\"e\" : [ 1,\n 2 ]\n}\n{\n\t\"f\" : {}\n}\n", "{  \"a\" : \"b {\\\"c\\\"} d\",  \"e\" : [ 1,  2 ] }\n{  \"f\" : {} }\n", false, false},
		{"an array of objects", `[{"a":"b"},{"c":["d"]}]`, "{\"a\":\"b\"}\n{\"c\":[\"d\"]}", false, false},
		{"the journal's entries, verbose", "Thu 2026-01-08 22:51:56.123456 CET [s=1;i=2]\n    _PID=1\n    MESSAGE=a\n            SYSLOG_IDENTIFIER=b\n            \n            MESSAGE=c\n            Thu 2026-01-08 22:51:56.123456 CET [s=1;i=2]\n    SYSLOG_IDENTIFIER=d\n",
			"{\"MESSAGE\":\"a\",\"SYSLOG_IDENTIFIER\":\"d\",\"time\":\"2026-01-08 22:51:56.123456 CET\"}\n", false, false},
		{"the journal's entries, exported", "__CURSOR=s=1\nMESSAGE\n\x19\x00\x00\x00\x00\x00\x00\x00a\n\nSYSLOG_IDENTIFIER=b\n\nc\nSYSLOG_IDENTIFIER=d\n\n__CURSOR=s=2\nMESSAGE=e\n__CURSOR=s=3\n_PID=1\n",
			"{\"MESSAGE\":\"a\\n\\nSYSLOG_IDENTIFIER=b\\n\\nc\",\"SYSLOG_IDENTIFIER\":\"d\"}\n{\"MESSAGE\":\"e\"}\n", false, false},
		{"gzip that is cut", cut(packed(t, "gzip"), 12), "", false, true},
		{"gzip, whole and cut", packed(t, "gzip") + cut(packed(t, "gzip"), 5), log, false, true},
		{"gzip with a wrong sum", cut(packed(t, "gzip"), 8) + "\x00\x00\x00\x00\x00\x00\x00\x00", log, false, true},
		{"xz that is cut", cut(packed(t, "xz"), 40), "", false, true},
		{"xz, then plain", packed(t, "xz") + log, log, false, true},
		{"zstd that is cut", cut(packed(t, "zstd"), 10), "", false, true},
		{"bzip2 that is cut", cut(packed(t, "bzip2"), 20), "", false, true},
		{"gzip's first bytes alone", "\x1f\x8b\x08", "", false, true},
		{"cut within another", pack(t, gzipWriter, cut(packed(t, "xz"), 40)), "", false, true},
	} {
		if got := Plain([]byte(test.in)); got != test.plain {
			t.Errorf("%s: plain is %t", test.name, got)
		}
		for name, in := range map[string]io.Reader{"at once": strings.NewReader(test.in), "by halves": iotest.HalfReader(strings.NewReader(test.in))} {
			r, err := NewReader(in)
			if err != nil {
				t.Errorf("%s, %s: %v", test.name, name, err)
				continue
			}
			got, err := io.ReadAll(r)
			if err != nil || !matches(string(got), test.want, test.damaged) || (r.Damage() != nil) != test.damaged {
				t.Errorf("%s, %s:\n got %q, damage %v, error %v\nwant %q, damage %t", test.name, name, got, r.Damage(), err, test.want, test.damaged)
			}
		}
	}
}

// matches lets a damaged log have more than it surely has.
func matches(got, want string, damaged bool) bool {
	return got == want || damaged && strings.HasPrefix(got, want) && strings.HasPrefix(log+log, got)
}

func cut(s string, n int) string { return s[:len(s)-n] }

// TestDamage holds the error to say what was packed how.
func TestDamage(t *testing.T) {
	r, err := NewReader(strings.NewReader(pack(t, gzipWriter, cut(packed(t, "bzip2"), 20))))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.Copy(io.Discard, r); err != nil {
		t.Fatal(err)
	}
	if got := r.Damage(); got == nil || got.Error() != "bzip2: unexpected EOF" {
		t.Errorf("the damage is %v", got)
	}
}

// TestReadersError holds an error of what is read from to be handed on: it is
// no damage of the log.
func TestReadersError(t *testing.T) {
	for name, in := range map[string]string{"plain": log, "gzip": cut(packed(t, "gzip"), 20), "nothing": ""} {
		r, err := NewReader(io.MultiReader(strings.NewReader(in), iotest.ErrReader(os.ErrPermission)))
		if err == nil {
			_, err = io.Copy(io.Discard, r)
		}
		if err == nil && r.Damage() == nil {
			t.Errorf("%s: an error of the reader is lost", name)
		}
	}
}

// TestGrowingLog reads what there is of a log that goes on.
func TestGrowingLog(t *testing.T) {
	in, out := io.Pipe()
	defer out.Close()
	go io.WriteString(out, log)
	r, err := NewReader(in)
	if err != nil {
		t.Fatal(err)
	}
	got := make([]byte, len(log))
	if _, err := io.ReadFull(r, got); err != nil || string(got) != log {
		t.Errorf("%q, %v", got, err)
	}
}

// TestBomb unpacks what is much larger than it looks, in little memory.
func TestBomb(t *testing.T) {
	const size = 256 << 20
	in, out := io.Pipe()
	go func() {
		w := gzip.NewWriter(out)
		zeros := make([]byte, 1<<20)
		for range size / len(zeros) {
			if _, err := w.Write(zeros); err != nil {
				out.CloseWithError(err)
				return
			}
		}
		out.CloseWithError(w.Close())
	}()
	r, err := NewReader(in)
	if err != nil {
		t.Fatal(err)
	}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	n, err := io.Copy(io.Discard, r)
	runtime.ReadMemStats(&after)
	const enough = 32 << 20 // of which the packer takes some
	if allocated := after.TotalAlloc - before.TotalAlloc; n != size || err != nil || allocated > enough || r.Damage() != nil {
		t.Errorf("%d bytes, %d allocated, damage %v, error %v", n, allocated, r.Damage(), err)
	}
}

// FuzzReader reads anything without an error, and what is plain as it is.
func FuzzReader(f *testing.F) {
	f.Add([]byte(log))
	for _, method := range []string{"gzip", "xz", "zstd", "bzip2"} {
		data, err := os.ReadFile("testdata/two." + method)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	f.Add([]byte("__CURSOR=s=1\nMESSAGE\n\x03\x00\x00\x00\x00\x00\x00\x00a\nb\nSYSLOG_IDENTIFIER=dnsmasq\n\n"))
	f.Add([]byte("Thu 2026-01-08 22:51:56.123456 CET [s=1;i=2]\n    MESSAGE=a\n      b\n"))
	f.Add([]byte("[{\"a\":\n\"b\"}]"))
	for _, test := range foreigners {
		f.Add([]byte(test.text))
	}
	f.Fuzz(func(t *testing.T, in []byte) {
		const longest, most = 4096, 1 << 20 // more of the same, and slow: some few bytes unpack to any number
		if len(in) > longest {
			return
		}
		r, err := NewReader(bytes.NewReader(in))
		if err != nil {
			t.Fatal(err)
		}
		got, err := io.ReadAll(io.LimitReader(r, most))
		if err != nil {
			t.Error(err)
		}
		if Plain(in) && !bytes.Equal(got, in) {
			t.Errorf("%q became %q", in, got)
		}
		if foreign, ok := Recognize(in, got, "a log"); ok && (foreign.What == "" || strings.Contains(foreign.Do, "%")) {
			t.Errorf("%q is recognized as %+v", in, foreign)
		}
	})
}
