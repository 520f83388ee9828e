package monitor

import (
	"unsafe"

	"golang.org/x/sys/unix"
)

// fdDir lists the descriptors of whoever reads it.
const fdDir = "/proc/self/fd"

// SelfPath is this program, even if its file was replaced or removed meanwhile.
func SelfPath() (string, error) { return "/proc/self/exe", nil }

// dup2 makes newfd a copy of oldfd.
func dup2(oldfd, newfd int) error { return unix.Dup3(oldfd, newfd, 0) }

// nameSelf is the name a process list shows where it shows no arguments; the
// kernel keeps 15 bytes of it.
func nameSelf(name string) {
	if p, err := unix.BytePtrFromString(name); err == nil {
		_ = unix.Prctl(unix.PR_SET_NAME, uintptr(unsafe.Pointer(p)), 0, 0, 0) //nolint:gosec // a string for the kernel to read
	}
}
