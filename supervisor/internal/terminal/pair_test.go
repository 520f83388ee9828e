package terminal

import (
	"testing"

	"golang.org/x/sys/unix"
)

func TestAdopts(t *testing.T) {
	t.Parallel()
	cooked := unix.Termios{Oflag: unix.OPOST, Lflag: unix.ICANON | unix.ECHO}
	quiet := unix.Termios{Oflag: unix.OPOST, Lflag: unix.ICANON}
	for name, c := range map[string]struct {
		copied, now, want unix.Termios
		adopts            bool
	}{
		"the first time":              {unix.Termios{}, quiet, cooked, true},
		"nobody has changed anything": {cooked, cooked, cooked, false},
		"the user has":                {cooked, cooked, quiet, true},
		"the run has":                 {cooked, quiet, cooked, false},
		"both have":                   {cooked, unix.Termios{}, quiet, false},
	} {
		p := Pair{copied: c.copied}
		if got := p.adopts(c.now, c.want); got != c.adopts {
			t.Errorf("%s: %t", name, got)
		}
	}
}
