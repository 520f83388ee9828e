package signals

import (
	"os"
	"os/signal"
)

// Catch has signals sent to c, those excepted that this process was started with ignored:
// catching them would un-ignore them for the run, and nohup would protect nothing. Without
// any it does nothing.
func Catch(c chan<- os.Signal, sigs []os.Signal) {
	var heard []os.Signal
	for _, s := range sigs {
		if isCaught(s) || !signal.Ignored(s) {
			heard = append(heard, s)
		}
	}
	Take(c, heard...)
}

// Take is Catch for signals that were ignored, too.
func Take(c chan<- os.Signal, sigs ...os.Signal) {
	if len(sigs) > 0 { // none would mean all
		notify(c, sigs)
	}
}
