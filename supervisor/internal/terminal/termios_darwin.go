package terminal

import "golang.org/x/sys/unix"

// getTermios reads the settings of the terminal fd.
func getTermios(fd int) (*unix.Termios, error) { return unix.IoctlGetTermios(fd, unix.TIOCGETA) }

// setTermios changes them at once: waiting for output to drain would hang on a
// terminal nobody reads from.
func setTermios(fd int, t *unix.Termios) error { return unix.IoctlSetTermios(fd, unix.TIOCSETA, t) }
