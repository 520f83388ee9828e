package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"syscall"

	"github.com/creack/pty"
	"golang.org/x/term"
)

func main() {
	code, err := run(os.Args[1:])
	if err != nil {
		fmt.Fprintln(os.Stderr, "gocopy:", err)
	}
	os.Exit(code)
}

// run wraps one command and returns its exit code, 125 when it did not start.
func run(args []string) (int, error) {
	if len(args) == 0 {
		return 125, errors.New("no command")
	}
	cmd := exec.Command(args[0], args[1:]...)
	master, err := pty.Start(cmd)
	if err != nil {
		return 125, fmt.Errorf("start %s: %w", args[0], err)
	}
	resized := make(chan os.Signal, 1)
	signal.Notify(resized, syscall.SIGWINCH)
	go func() {
		for range resized {
			_ = pty.InheritSize(os.Stdin, master)
		}
	}()
	resized <- syscall.SIGWINCH
	if state, err := term.MakeRaw(int(os.Stdin.Fd())); err == nil {
		defer func() { _ = term.Restore(int(os.Stdin.Fd()), state) }()
	}
	go func() { _, _ = io.Copy(master, os.Stdin) }()
	_, _ = io.Copy(os.Stdout, master) // ends with EIO when the terminal is gone
	if err := cmd.Wait(); err != nil && cmd.ProcessState == nil {
		return 125, err
	}
	return cmd.ProcessState.ExitCode(), nil
}
