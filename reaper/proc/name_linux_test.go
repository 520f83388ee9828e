package proc

import (
	"runtime"
	"testing"
	"unsafe"

	"golang.org/x/sys/unix"
)

// lockedName gives the calling thread a name and returns the undo. The
// goroutine keeps its thread until then.
func lockedName(t *testing.T, name string) (undo func()) {
	t.Helper()
	runtime.LockOSThread()
	var old [16]byte
	set := func(to *byte) {
		if err := unix.Prctl(unix.PR_SET_NAME, uintptr(unsafe.Pointer(to)), 0, 0, 0); err != nil {
			t.Errorf("set thread name: %v", err)
		}
	}
	if err := unix.Prctl(unix.PR_GET_NAME, uintptr(unsafe.Pointer(&old[0])), 0, 0, 0); err != nil {
		t.Fatalf("get thread name: %v", err)
	}
	b := append([]byte(name), 0)
	set(&b[0])
	return func() {
		set(&old[0])
		runtime.UnlockOSThread()
	}
}
