package supervisor

// stackRoom is more stack than SQLite was seen to need, in bytes.
const stackRoom = 96 << 10

// Deepen grows the calling goroutine's stack while there is little on it. Left to
// itself it would grow five times over in the depths of SQLite, unwinding and
// copying all of it each time: a tenth of what a short run costs, and a megabyte
// of unwinding tables touched.
//
// It costs the room in addresses, not in memory: nothing of it is touched.
func Deepen() { grow(false) }

// grow has a frame as large as the room, on every way through it.
//
//go:noinline
func grow(use bool) {
	if use {
		var room [stackRoom]byte
		touch(&room)
	}
}

// touch keeps the compiler from doing without the array.
//
//go:noinline
func touch(room *[stackRoom]byte) { room[0] = 1 }
