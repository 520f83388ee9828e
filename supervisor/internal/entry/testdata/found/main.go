// Command found prints which signals are ignored once it has kept what was; the timer slack
// of its first thread and of a process it starts; and the most of any of its threads, where
// the kernel tells.
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
	signals.KeepIgnored(entry.Ignored())
	for _, s := range []os.Signal{unix.SIGHUP, unix.SIGPIPE, unix.SIGUSR1, unix.SIGTERM} {
		if signal.Ignored(s) {
			fmt.Println(s)
		}
	}
	own, err := unix.PrctlRetInt(unix.PR_GET_TIMERSLACK, 0, 0, 0, 0)
	fmt.Println(own)
	child := exec.Command("cat", "/proc/self/timerslack_ns")
	child.Stdout = os.Stdout
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
	fmt.Println(most)
}
