package clock

import "os"

// Wakes reports that the wall clock was set or the machine woke up, as it
// happens. It says that something jumped, not what: take a [Reading] and
// compare. Where the system offers no such notice it stays silent, and a
// sleep is seen at the next beat.
type Wakes struct {
	c    chan struct{}
	done chan struct{}
	file *os.File
}

// C delivers one value per jump; jumps that nobody took in yet are merged into
// one. It is never closed. It is nil, and so blocks for ever, where the system
// offers no notice.
func (w *Wakes) C() <-chan struct{} { return w.c }

// Close ends the watch and returns when its goroutine is gone. Closing a
// second time does nothing.
func (w *Wakes) Close() error {
	if w.file == nil {
		return nil
	}
	err := w.file.Close()
	<-w.done
	w.file = nil
	return err
}
