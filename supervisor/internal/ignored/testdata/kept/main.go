// Command kept prints which signals are ignored once it has kept what was.
package main

import (
	"fmt"
	"os"
	"os/signal"

	"golang.org/x/sys/unix"

	"github.com/ocr-run/ocr-run/supervisor/internal/ignored"
)

func main() {
	ignored.Keep()
	for _, s := range []os.Signal{unix.SIGHUP, unix.SIGPIPE, unix.SIGUSR1, unix.SIGTERM} {
		if signal.Ignored(s) {
			fmt.Println(s)
		}
	}
}
