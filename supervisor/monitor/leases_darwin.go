package monitor

import (
	"context"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/ocr-run/ocr-run/reaper/proc"
)

// lsofWithin bounds how long lsof may take for one process.
const lsofWithin = 2 * time.Second

// written are the names of the files in dir that process pid has open for reading and
// writing, as a wrapper has its lease, and nobody who merely asks for it. The system
// tells lsof, which takes its time: it is asked about our own program alone.
func written(pid int, dir string) (names []string) {
	self, err := proc.Self()
	if err != nil {
		return nil
	}
	if p, err := proc.Read(pid); err != nil || p.Name != self.Name {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), lsofWithin)
	defer cancel()
	// It exits with 1 when there is something it cannot find.
	out, _ := exec.CommandContext(ctx, "/usr/sbin/lsof", "-wnP", "-Fan", "-p", strconv.Itoa(pid)).Output()
	return writtenIn(string(out), dir)
}

// writtenIn reads from what lsof says in fields which files of dir are open for reading
// and writing: of each descriptor the access, and then the name.
func writtenIn(fields, dir string) (names []string) {
	both := false
	for line := range strings.Lines(fields) {
		kind, value := line[:1], strings.TrimSuffix(line[1:], "\n")
		switch {
		case kind == "f":
			both = false
		case kind == "a":
			both = value == "u"
		case kind == "n" && both && filepath.Dir(value) == dir:
			names = append(names, filepath.Base(value))
		}
	}
	return names
}
