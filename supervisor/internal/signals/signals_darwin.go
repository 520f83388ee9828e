package signals

import (
	"os"
	"os/signal"
)

// isCaught is for the system whose caught signals may look ignored.
func isCaught(os.Signal) bool { return false }

// notify sends the signals to c.
func notify(c chan<- os.Signal, sigs []os.Signal) { signal.Notify(c, sigs...) }
