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
)

// version is set by the linker of a release build.
var version = "0.0.0-dev"

// A monitor does not get here: it is dispatched in its own package, before the rest
// of this program is set up.
func main() {
	os.Exit(run(context.Background(), processEnvironment()))
}
