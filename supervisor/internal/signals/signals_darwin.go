package signals

import (
	"os"
	"os/signal"
)

// isIgnored says whether a signal is.
func isIgnored(s os.Signal) bool { return signal.Ignored(s) }

// sender is 0: nobody tells.
func sender(os.Signal) int { return 0 }

// notify sends the signals to c.
func notify(c chan<- os.Signal, sigs []os.Signal) { signal.Notify(c, sigs...) }
