package terminal

import "golang.org/x/sys/unix"

// readNow reads from a non-blocking descriptor.
func readNow(fd int, b []byte) (int, error) { return unix.Read(fd, b) }

// writeNow writes to a non-blocking descriptor.
func writeNow(fd int, b []byte) (int, error) { return unix.Write(fd, b) }
