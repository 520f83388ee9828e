package storetest

import (
	"path/filepath"
	"testing"

	"github.com/ocr-run/ocr-run/lifecycle"
	"github.com/ocr-run/ocr-run/store"
)

// Boot is the boot every instant and identity here belongs to.
const Boot = "boot-1"

// New opens a fresh ledger in a temporary directory and closes it with the test.
func New(tb testing.TB) *store.Ledger {
	tb.Helper()
	return Open(tb, filepath.Join(tb.TempDir(), "state", "ledger.db"))
}

// Open opens the ledger at path and closes it with the test.
func Open(tb testing.TB, path string) *store.Ledger {
	tb.Helper()
	l, err := store.Open(tb.Context(), store.Config{Path: path})
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := l.Close(); err != nil {
			tb.Error(err)
		}
	})
	return l
}

// At is the instant ms milliseconds after the epoch, with the machine awake all
// the time.
func At(ms int64) store.Instant {
	return store.Instant{WallMS: ms, AwakeMS: ms, BootID: Boot}
}

// Process is the identity of a process with the given pid.
func Process(pid int) store.Identity {
	return store.Identity{
		MachineID: "machine-1", BootID: Boot, PIDNamespace: 1, PID: pid, StartTicks: uint64(pid) * 100,
	}
}

// Announcement is that of a plain command wrapped by process pid.
func Announcement(uid string, pid int, ms int64) store.Announcement {
	return store.Announcement{
		UID: uid, Lineage: uid, Command: []string{"agent", "-p", "do it"}, CWD: "/repo", Workspace: "/repo",
		Wrapper: Process(pid), At: At(ms), BeatMS: 10_000,
	}
}

// Launch is that of a child with the given pid.
func Launch(uid string, pid int, ms int64) store.Launch {
	return store.Launch{UID: uid, Child: Process(pid), Monitor: Process(pid - 1), PGID: pid, SID: pid, At: At(ms)}
}

// Exit is the ending of a first-generation run that exited with the code.
func Exit(uid string, code int, ms int64) store.Ending {
	return store.Ending{UID: uid, Generation: 1, End: lifecycle.EndExited, ExitCode: &code, At: At(ms), AwakeMS: ms}
}
