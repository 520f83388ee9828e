package proc

import (
	"fmt"

	"golang.org/x/sys/unix"
)

// environFirst holds the environment of nearly every process.
const environFirst = 32 << 10

// environBlock reads an environment into a buffer that grows as it must. The
// kernel gives all there is room for in one read.
func environBlock(pid int, buf *[]byte) ([]byte, error) {
	if len(*buf) == 0 {
		*buf = make([]byte, environFirst)
	}
	fd, err := open(procPath(pid, "environ"), unix.O_RDONLY)
	if err != nil {
		return nil, fmt.Errorf("read environment of %d: %w", pid, err)
	}
	defer unix.Close(fd) //nolint:errcheck // nothing was written
	for have := 0; ; {
		n, err := unix.Read(fd, (*buf)[have:])
		switch {
		case err == unix.EINTR:
			continue
		case err != nil:
			return nil, fmt.Errorf("read environment of %d: %w", pid, gone(err))
		}
		have += n
		if n == 0 || have < len(*buf) || have >= maxEnviron {
			return (*buf)[:have], nil
		}
		*buf = append(*buf, make([]byte, len(*buf))...)
	}
}
