//go:build cilium118

package main

import (
	"log/slog"

	"github.com/cilium/cilium/pkg/fqdn/re"
)

// Until 1.18 nothing could be matched before this was called.
func init() {
	if err := re.InitRegexCompileLRU(slog.Default(), 0); err != nil {
		panic(err)
	}
}
