package proc

import (
	"fmt"
	"strings"
)

// maxCommandLine is as much of a command line as anybody wants to read.
const maxCommandLine = 4 << 10

// CommandLine is the process's argument list joined by spaces, or its name in
// brackets when it has none. It may hold any byte and proves nothing.
func CommandLine(pid int) (string, error) {
	args, _, err := argsOf(pid)
	if err == nil && len(args) > 0 {
		line := strings.Join(args, " ")
		return line[:min(len(line), maxCommandLine)], nil
	}
	p, rerr := Read(pid)
	if rerr != nil {
		return "", fmt.Errorf("read command line of %d: %w", pid, rerr)
	}
	return bracketed(p), nil
}
