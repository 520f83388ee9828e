package signals

import "os"

// Catch has signals sent to c, those excepted that are ignored, as this process may have
// been started: catching them would un-ignore them for the run, and nohup would protect nothing.
// Without any it does nothing.
func Catch(c chan<- os.Signal, sigs []os.Signal) {
	var heard []os.Signal
	for _, s := range sigs {
		if !isIgnored(s) {
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

// Sender is the pid of the process that sent the last signal of this kind that was caught
// here. It is 0 where nobody knows: for one of the kernel's own, such as a key's, for one from
// outside our pid namespace, and where os/signal takes it. Its process may be gone.
func Sender(s os.Signal) int { return sender(s) }
