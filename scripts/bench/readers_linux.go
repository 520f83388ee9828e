package main

import (
	"bytes"
	"os"
	"strconv"

	"golang.org/x/sys/unix"
)

// rawTable is the least that a look at all processes can be: for each one its stat
// line, of which parent, group, session and start are taken, and its environment,
// which is searched for a marker.
func rawTable() error {
	dir, err := os.Open("/proc")
	if err != nil {
		return err
	}
	names, err := dir.Readdirnames(-1)
	_ = dir.Close()
	if err != nil {
		return err
	}
	buf, found := make([]byte, 256<<10), 0
	for _, name := range names {
		if name[0] < '0' || name[0] > '9' {
			continue
		}
		stat := rawRead("/proc/"+name+"/stat", buf)
		fields := bytes.Fields(stat[bytes.LastIndexByte(stat, ')')+1:])
		for _, i := range []int{1, 2, 3, 19} {
			if i < len(fields) {
				n, _ := strconv.Atoi(string(fields[i]))
				found += n
			}
		}
		if bytes.Contains(rawRead("/proc/"+name+"/environ", buf), []byte("OCR_RUN_UID=")) {
			found++
		}
	}
	return nil
}

// rawRead reads a file into a buffer; what cannot be read is empty.
func rawRead(path string, buf []byte) []byte {
	fd, err := unix.Open(path, unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil
	}
	n, _ := unix.Read(fd, buf)
	_ = unix.Close(fd)
	return buf[:max(n, 0)]
}
