package terminal

import (
	"fmt"
	"os"

	"github.com/creack/pty"
	"golang.org/x/sys/unix"
)

// Pair is the inner terminal a run lives on: the master is ours, the slave is
// the run's.
type Pair struct {
	// Master is non-blocking and known to no poller but ours.
	Master int
	// Slave is handed to the monitor; the wrapper closes it after the launch,
	// or it would never see the end of the output.
	Slave *os.File
	// Name is the slave's path, such as /dev/pts/4.
	Name string
	// copied is the state given to it, to tell whether the run changed it.
	copied unix.Termios
}

// OpenPair makes an inner terminal with the settings and size of the user's,
// before anything runs on it, so that the first look is already right.
func OpenPair(like *TTY) (*Pair, error) {
	m, s, err := pty.Open()
	if err != nil {
		return nil, fmt.Errorf("open inner terminal: %w", err)
	}
	// The Go poller knows m; a duplicate it does not know can be made
	// non-blocking and polled here without waking the runtime for each byte.
	fd, err := dupNonblock(int(m.Fd()))
	name := s.Name()
	_ = m.Close()
	if err != nil {
		_ = s.Close()
		return nil, fmt.Errorf("duplicate inner terminal %s: %w", name, err)
	}
	p := &Pair{Master: fd, Slave: s, Name: name}
	if like != nil {
		if err := p.Adopt(like); err != nil {
			return nil, fmt.Errorf("prepare inner terminal %s: %w", name, err)
		}
	}
	return p, nil
}

// dupNonblock duplicates fd close-on-exec and makes the duplicate non-blocking.
func dupNonblock(fd int) (int, error) {
	dup, err := unix.FcntlInt(uintptr(fd), unix.F_DUPFD_CLOEXEC, 3)
	if err != nil {
		return -1, fmt.Errorf("duplicate descriptor %d: %w", fd, err)
	}
	if err := unix.SetNonblock(dup, true); err != nil {
		_ = unix.Close(dup)
		return -1, fmt.Errorf("make descriptor %d non-blocking: %w", dup, err)
	}
	return dup, nil
}

// Adopt copies the user's settings and size to the inner terminal. Settings
// the run has changed since the last copy are its own and stay.
func (p *Pair) Adopt(like *TTY) error {
	now, err := getTermios(p.Master)
	if err != nil {
		return fmt.Errorf("read settings: %w", err)
	}
	if want := like.found; p.adopts(*now, want) {
		if err := setTermios(p.Master, &want); err != nil {
			return fmt.Errorf("copy settings: %w", err)
		}
		p.copied = want
	}
	_, err = CopySize(p.Master, like.fd)
	return err
}

// adopts says whether there is something to copy, of an inner terminal as it is now. Where
// the user's is what was copied last there is not: a run that changes its own settings in
// this moment, as most do soon after their start, would lose them.
func (p *Pair) adopts(now, want unix.Termios) bool {
	first := p.copied == (unix.Termios{})
	return first || sameTermios(now, p.copied) && !sameTermios(want, p.copied)
}

// CloseSlave gives up the run's end, once the monitor holds it.
func (p *Pair) CloseSlave() error {
	if p.Slave == nil {
		return nil
	}
	err := p.Slave.Close()
	p.Slave = nil
	return err
}

// Close gives up both ends. Closing the master hangs the inner terminal up.
func (p *Pair) Close() error {
	_ = p.CloseSlave()
	return unix.Close(p.Master)
}
