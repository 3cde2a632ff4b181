package parse

import (
	"bytes"
	"encoding/json"
	"maps"
	"slices"
)

// The names of what counts in a line's JSON object, the better ones first: as
// the journal, docker, fluentd, fluent-bit, Vector, Promtail, logcli, rsyslog,
// syslog-ng, GELF, Elasticsearch, Splunk and the clouds have them.
var (
	messageKeys = []string{"MESSAGE", "message", "log", "line", "msg", "short_message", "textPayload", "body", "@message", "_raw", "Message", "Log", "LogEntry", "content", "text", "event", "raw", "original"}
	programKeys = []string{"SYSLOG_IDENTIFIER", "_SYSTEMD_UNIT", "identifier", "ident", "programname", "program", "PROGRAM", "appname", "app_name", "app-name", "syslogtag", "_COMM"}
	timeKeys    = []string{"__REALTIME_TIMESTAMP", "_SOURCE_REALTIME_TIMESTAMP", "@timestamp", "timestamp", "time", "date", "ts", "DATE"}
)

// object reads a line that is an object in JSON, or in fluent-bit's spelling of
// it with "=>". Its message is a line.
func (w *wrapper) object(b []byte) maker {
	w.marked, w.loose, w.json = true, true, true
	if hasPrefix(b, `{"`) {
		if end := bytes.IndexByte(b[2:], '"'); end >= 0 && hasPrefix(b[2+end:], `"=>`) {
			b = bytes.ReplaceAll(b, []byte(`"=>`), []byte(`":`))
		}
	}
	var object map[string]any
	decoder := json.NewDecoder(bytes.NewReader(b))
	decoder.UseNumber()
	if decoder.Decode(&object) != nil {
		return unknown
	}
	message := valueOf(object, messageKeys)
	if w.depth++; message == nil || w.depth > maxDepth {
		return unknown
	}
	if at := valueOf(object, timeKeys); len(at) > 0 && stampLen(at) == len(at) {
		w.setTime(at)
	}
	message = bytes.TrimRight(message, "\r\n")
	if program := valueOf(object, programKeys); program != nil {
		return w.from(tagOf(program), message)
	}
	inner := wrapper{collectors: w.collectors, depth: w.depth}
	who := inner.read(message)
	w.adopt(&inner)
	w.tag = inner.tag
	return who
}

// valueOf returns the first of the keys' values, of the object itself before
// those within it: a string or a number, nil if there is none.
func valueOf(object map[string]any, keys []string) []byte {
	for _, key := range keys {
		switch value := object[key].(type) {
		case string:
			return []byte(value)
		case json.Number:
			return []byte(value)
		}
	}
	for _, key := range slices.Sorted(maps.Keys(object)) {
		if within, ok := object[key].(map[string]any); ok {
			if value := valueOf(within, keys); value != nil {
				return value
			}
		}
	}
	return nil
}
