package main

import (
	"crypto/rand"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

func ledgerCells() []cell {
	of := func(name, does string, run func(*lab), needs ...string) cell {
		return cell{name: name, group: groupLedger, does: does, needs: needs, limit: 2 * time.Minute, run: run}
	}
	return []cell{
		of("state-full", "a full disk below the state directory: the command runs as if nothing were", func(l *lab) {
			l.mount("size=64k")
			_ = os.WriteFile(filepath.Join(l.path("state"), "filler"), []byte(strings.Repeat("x", 1<<17)), 0o600)
			undisturbed(l)
		}, "linux", "root"),
		of("state-read-only", "a read-only state directory and home", func(l *lab) { l.mount("ro"); undisturbed(l) }, "linux", "root"),
		of("state-impossible", "a state directory that cannot be made", func(l *lab) {
			l.must(os.RemoveAll(l.path("state")))
			l.write("state", "a file\n")
			undisturbed(l)
		}),
		of("state-locked", "a ledger another process keeps locked", stateLocked),
		of("state-garbage", "a ledger that is garbage", func(l *lab) {
			l.ledger()
			l.must(os.WriteFile(l.ledger(), []byte(rand.Text()+strings.Repeat("garbage", 2000)), 0o600))
			undisturbed(l)
		}),
		of("state-truncated", "a ledger cut in its middle", func(l *lab) { l.must(os.Truncate(l.ledger(), 5000)); undisturbed(l) }),
		of("state-deleted", "a ledger deleted while the command runs", stateDeleted),
	}
}

// mount puts a small file system where the state is kept.
func (l *lab) mount(options string) {
	if e := l.command(nil, "mount", "-t", "tmpfs", "-o", options, "tmpfs", l.path("state")); e.code() != 0 {
		l.skipf("cannot mount: %s", e.err)
	}
	l.later(func() { _ = exec.Command("umount", "-l", l.path("state")).Run() })
}

// ledger makes sure that there is a ledger and names it.
func (l *lab) ledger() string {
	path := filepath.Join(l.path("state"), "ocr-run", "ledger.db")
	if _, err := os.Stat(path); err != nil {
		l.pipe(nil, "true")
	}
	_, err := os.Stat(path)
	l.must(err)
	return path
}

// undisturbed runs a command with and without a terminal: output, exit code and picture are the command's own.
func undisturbed(l *lab) {
	e := l.pipe(strings.NewReader("in"), "sh", "-c", "cat; echo out; exit 5")
	l.want(e.code() == 5, "exit code %d, want 5: %s", e.code(), e.err)
	l.want(e.out == "inout\n", "output %q", e.out)
	s := l.heldSh(`echo one; cat /dev/null; echo two; exit 6`)
	s.see("one\r\ntwo\r\n")
	s.wantRC(6, 20*time.Second)
	l.want(strings.Count(string(s.Output()), "<<ready>>\r\none\r\ntwo\r\n") == 1, "something else on the terminal: %q", s.Output())
	s.restored()
}

// stateLocked holds every lock an SQLite writer could want: the whole ledger and the whole of its shared memory.
func stateLocked(l *lab) {
	for _, path := range []string{l.ledger(), l.ledger() + "-shm"} {
		f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
		l.must(err)
		l.later(func() { _ = f.Close() })
		l.must(unix.FcntlFlock(f.Fd(), unix.F_SETLK, &unix.Flock_t{Type: unix.F_WRLCK}))
	}
	took := stopwatch()
	undisturbed(l)
	l.note("two runs took %v", took().Round(10*time.Millisecond))
}

func stateDeleted(l *lab) {
	s := l.heldSh(`cd ` + l.dir + `; echo one; echo $$ >pid; while [ ! -e on ]; do sleep .05; done; echo two; exit 6`)
	l.number("pid")
	l.must(os.RemoveAll(l.path("state")))
	l.write("on", "")
	s.see("one\r\ntwo\r\n")
	s.wantRC(6, 20*time.Second)
	undisturbed(l)
}
