package main

import (
	"fmt"
	"io"
	"os"
	"os/signal"
	"strconv"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
	"golang.org/x/term"
)

// probe is what a wrapped command does when a shell cannot: this program runs itself. Files are written whole, then renamed.
func probe(name string, args []string) int {
	switch name {
	case "hold":
		return probeHold(args[0], args[1:])
	case "catch":
		return probeCatch(args[0], args[1], args[2:])
	case "winch":
		return probeWinch()
	case "echo":
		return probeEcho(args[0])
	case "ask":
		return probeAsk(args[0], args[1], args[2])
	case "args":
		return probeArgs(args[0], args[1:])
	}
	fmt.Fprintln(os.Stderr, "unknown probe", name)
	return 2
}

func leave(path, text string) {
	if err := os.WriteFile(path+".new", []byte(text), 0o666); err != nil {
		panic(err)
	}
	if err := os.Rename(path+".new", path); err != nil {
		panic(err)
	}
}

func signals(names []string) []os.Signal {
	var list []os.Signal
	for _, name := range names {
		if sig := unix.SignalNum("SIG" + name); sig != 0 {
			list = append(list, sig)
		}
	}
	return list
}

// probeHold ignores the named signals, leaves its process id, and stays.
func probeHold(pidFile string, names []string) int {
	if len(names) > 0 {
		signal.Ignore(signals(names)...)
	}
	leave(pidFile, strconv.Itoa(os.Getpid())+"\n")
	forever()
	return 0
}

// probeCatch leaves its process id and then, in a second file, the name of the first signal that comes.
func probeCatch(pidFile, caughtFile string, names []string) int {
	came := make(chan os.Signal, 8)
	signal.Notify(came, signals(names)...)
	leave(pidFile, strconv.Itoa(os.Getpid())+"\n")
	sig, _ := (<-came).(syscall.Signal)
	leave(caughtFile, strings.TrimPrefix(unix.SignalName(sig), "SIG"))
	return 42
}

// probeWinch prints the window's size at the start and at each SIGWINCH, until its input ends.
func probeWinch() int {
	came := make(chan os.Signal, 64)
	signal.Notify(came, syscall.SIGWINCH)
	size := func(tag string) {
		if w, err := unix.IoctlGetWinsize(0, unix.TIOCGWINSZ); err == nil {
			fmt.Printf("%s=%dx%d.\n", tag, w.Row, w.Col)
		}
	}
	size("size")
	go func() {
		for range came {
			size("winch")
		}
	}()
	_, _ = io.Copy(io.Discard, os.Stdin)
	return 0
}

// probeEcho puts the terminal into raw mode and sends so many bytes back.
func probeEcho(count string) int {
	n, _ := strconv.ParseInt(count, 10, 64)
	return inRaw(func() error {
		fmt.Print("<<raw>>")
		_, err := io.CopyN(os.Stdout, os.Stdin, n)
		return err
	})
}

// probeAsk puts the terminal into raw mode, prints a question and leaves so many bytes of answer in a file.
func probeAsk(question, count, file string) int {
	n, _ := strconv.Atoi(count)
	return inRaw(func() error {
		fmt.Print(question)
		answer := make([]byte, n)
		_, err := io.ReadFull(os.Stdin, answer)
		leave(file, string(answer))
		return err
	})
}

func inRaw(work func() error) int {
	before, err := term.MakeRaw(0)
	if err == nil {
		err = work()
		_ = term.Restore(0, before)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}

// probeArgs leaves its arguments, each quoted as Go does, one a line.
func probeArgs(file string, args []string) int {
	var text strings.Builder
	for _, arg := range args {
		fmt.Fprintf(&text, "%q\n", arg)
	}
	leave(file, text.String())
	return 0
}
