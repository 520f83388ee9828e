package monitor

import (
	"os"
	"path/filepath"
	"strconv"
)

// openMost bounds how many descriptors of a process are looked at: a wrapper has few,
// and its lease is among the first.
const openMost = 64

// written are the names of the files in dir that process pid has open for reading and
// writing, as a wrapper has its lease, and nobody who merely asks for it.
func written(pid int, dir string) (names []string) {
	const both = 0o600
	at := "/proc/" + strconv.Itoa(pid) + "/fd"
	fds, err := os.Open(at)
	if err != nil {
		return nil
	}
	defer fds.Close() //nolint:errcheck // nothing was written
	list, _ := fds.Readdirnames(openMost)
	for _, fd := range list {
		link := filepath.Join(at, fd)
		path, err := os.Readlink(link)
		if err != nil || filepath.Dir(path) != dir {
			continue
		}
		if info, err := os.Lstat(link); err == nil && info.Mode()&both == both {
			names = append(names, filepath.Base(path))
		}
	}
	return names
}
