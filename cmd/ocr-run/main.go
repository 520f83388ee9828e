// The runtime would read the limits of its control group at the start, keep the
// files open, and look again whenever it wakes: time and wake-ups that a program
// which mostly waits has no use for.
//
//go:debug containermaxprocs=0
//go:debug updatemaxprocs=0
package main

import (
	"context"
	"os"

	"github.com/ocr-run/ocr-run/supervisor"
)

// version is set by the linker of a release build.
var version = "0.0.0-dev"

// The monitor is dispatched before anything else is built: it is a process of
// its own, kept small, and has no use for the rest of this program.
func main() {
	if code, ok := supervisor.MonitorMain(); ok {
		os.Exit(code)
	}
	os.Exit(run(context.Background(), processEnvironment()))
}
