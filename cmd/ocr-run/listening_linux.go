package main

import (
	"os"

	"golang.org/x/sys/unix"
)

// punch takes away the first n bytes of a file and leaves all others where they are,
// so that nothing is lost of what is appended meanwhile. It is false where the file
// system cannot.
func punch(f *os.File, n int64) bool {
	return unix.Fallocate(int(f.Fd()), unix.FALLOC_FL_PUNCH_HOLE|unix.FALLOC_FL_KEEP_SIZE, 0, n) == nil
}
