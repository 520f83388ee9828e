package monitor

import (
	"os"
	"os/signal"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

// Nothing to catch is not everything, as it is for the package os/signal.
func TestCatchNothing(t *testing.T) {
	none, all := make(chan os.Signal, 1), make(chan os.Signal, 1)
	Catch(none, nil)
	Catch(all, []os.Signal{unix.SIGCONT})
	if err := syscall.Kill(os.Getpid(), unix.SIGCONT); err != nil {
		t.Fatal(err)
	}
	<-all
	signal.Stop(all) // which waits for the delivery to all others
	if len(none) != 0 {
		t.Errorf("caught %v", <-none)
	}
}
