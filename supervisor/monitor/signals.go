package monitor

import (
	"os"
	"os/signal"

	"golang.org/x/sys/unix"
)

// Catch has the signals sent to c, those excepted that this process was started
// with ignored: catching them would un-ignore them for the run, and nohup would
// protect nothing. Without any it does nothing.
func Catch(c chan<- os.Signal, sigs []os.Signal) {
	var heard []os.Signal
	for _, s := range sigs {
		if !signal.Ignored(s) {
			heard = append(heard, s)
		}
	}
	if len(heard) > 0 { // none would mean all
		signal.Notify(c, heard...)
	}
}

// ToNull points descriptors at /dev/null, or leaves them as they are if there is
// none.
func ToNull(fds ...int) {
	null, err := unix.Open(os.DevNull, unix.O_RDWR|unix.O_CLOEXEC, 0)
	if err != nil {
		return
	}
	for _, fd := range fds {
		_ = dup2(null, fd)
	}
	_ = unix.Close(null)
}
