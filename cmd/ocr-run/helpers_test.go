package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// codeMain runs a command and checks its exit code: code N CMD [ARG…]. A
// failure must also say what to try next.
func codeMain() {
	want, err := strconv.Atoi(os.Args[1])
	if err != nil {
		fail("code: %v", err)
	}
	var stderr strings.Builder
	cmd := exec.Command(os.Args[2], os.Args[3:]...)
	cmd.Stderr = &stderr
	err = cmd.Run()
	got := 0
	if exit, ok := errors.AsType[*exec.ExitError](err); ok {
		got = exit.ExitCode()
	} else if err != nil {
		fail("code: %v", err)
	}
	if got != want {
		fail("code: %q exited %d, want %d: %s", os.Args[2:], got, want, stderr.String())
	}
	if got != 0 && !strings.Contains(stderr.String(), "\nTry: ") {
		fail("code: %q said nothing to try: %s", os.Args[2:], stderr.String())
	}
}

// untilMain runs a command until its output matches: until 'CMD ARG…' REGEXP.
func untilMain() {
	words, pattern := strings.Fields(os.Args[1]), regexp.MustCompile("(?m)"+os.Args[2])
	for deadline := time.Now().Add(20 * time.Second); time.Now().Before(deadline); {
		out, _ := exec.Command(words[0], words[1:]...).Output()
		if pattern.Match(out) {
			return
		}
	}
	fail("until: %s never printed %s", os.Args[1], os.Args[2])
}

// fail ends a helper command badly.
func fail(format string, args ...any) {
	fmt.Fprintf(os.Stderr, format+"\n", args...)
	os.Exit(1)
}
