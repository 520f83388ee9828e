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

// updatedMain says what this program would have others call, and what it would call
// itself, before and after its own file is gone, and once there is another.
func updatedMain() {
	c := call{environment: processEnvironment(), verb: "updated"}
	say := func(when string) {
		path, err := c.ownPath()
		self, more := ownProgram()
		if err = errors.Join(err, more); err != nil {
			fail("%v", err)
		}
		fmt.Println(when, path, self)
	}
	file := os.Args[1]
	say("now")
	if err := os.Remove(file); err != nil {
		fail("%v", err)
	}
	say("removed")
	if err := os.WriteFile(file, nil, 0o700); err != nil {
		fail("%v", err)
	}
	say("replaced")
}

// fail ends a helper command badly.
func fail(format string, args ...any) {
	fmt.Fprintf(os.Stderr, format+"\n", args...)
	os.Exit(1)
}
