// Command found writes to descriptor 3 which of the standard ones it would start a program
// without; which signals are ignored once it has kept what was; the timer slack of its first
// thread and of a process it starts; and the most of any of its threads, where the kernel
// tells. Asked to by an argument, it becomes that shell script instead.
package main

import (
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"runtime"

	"golang.org/x/sys/unix"

	"github.com/ocr-run/ocr-run/supervisor/internal/entry"
	"github.com/ocr-run/ocr-run/supervisor/internal/signals"
)

func init() { runtime.LockOSThread() }

func main() {
	out := os.NewFile(3, "out")
	for fd := range uintptr(3) {
		if entry.Given(fd) != fd {
			_, _ = fmt.Fprintln(out, "closed", fd)
		}
	}
	if len(os.Args) > 1 {
		_ = entry.AsFound(true, func() error { return unix.Exec("/bin/sh", []string{"sh", "-c", os.Args[1]}, os.Environ()) })
	}
	signals.KeepIgnored(entry.Ignored())
	for _, s := range []os.Signal{unix.SIGHUP, unix.SIGPIPE, unix.SIGUSR1, unix.SIGTERM} {
		if signal.Ignored(s) {
			_, _ = fmt.Fprintln(out, s)
		}
	}
	own, err := unix.PrctlRetInt(unix.PR_GET_TIMERSLACK, 0, 0, 0, 0)
	_, _ = fmt.Fprintln(out, own)
	child := exec.Command("cat", "/proc/self/timerslack_ns")
	child.Stdout = out
	if err != nil || entry.AsFound(true, child.Run) != nil {
		os.Exit(1)
	}
	most := 0
	threads, _ := os.ReadDir("/proc/self/task")
	for _, thread := range threads {
		text, _ := os.ReadFile("/proc/" + thread.Name() + "/timerslack_ns")
		n := 0
		_, _ = fmt.Sscan(string(text), &n)
		most = max(most, n)
	}
	_, _ = fmt.Fprintln(out, most)
}
