package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strconv"
	"syscall"

	"github.com/ocr-run/ocr-run/supervisor/ptytest"
)

// sealDescriptors keeps what this program itself inherited from the commands it runs: they would be taken for a wrapper's leaks.
func sealDescriptors() {
	const more = 1024
	for fd := 3; fd < more; fd++ {
		syscall.CloseOnExec(fd)
	}
}

// stat is the part of a process table entry the cells use.
type stat struct {
	pid, ppid int
	state     byte
	ticks     int // processor time used
}

// readStat reads /proc; where there is none, ok is false.
func readStat(pid int) (s stat, ok bool) {
	text, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "stat"))
	if err != nil {
		return stat{}, false
	}
	// The name in parentheses may hold anything; after it come state, ppid, and from the twelfth on utime and stime.
	fields := bytes.Fields(text[bytes.LastIndexByte(text, ')')+1:])
	if len(fields) < 13 {
		return stat{}, false
	}
	number := func(i int) int {
		n, _ := strconv.Atoi(string(fields[i]))
		return n
	}
	return stat{pid: pid, ppid: number(1), state: fields[0][0], ticks: number(11) + number(12)}, true
}

// alive counts a zombie as dead: nothing of it runs.
func alive(pid int) bool {
	if _, err := os.Stat("/proc/self/stat"); err != nil {
		return syscall.Kill(pid, 0) == nil
	}
	s, ok := readStat(pid)
	return ok && s.state != 'Z' && s.state != 'X'
}

func state(pid int) byte {
	s, _ := readStat(pid)
	return s.state
}

func cpuTicks(pid int) int {
	s, _ := readStat(pid)
	return s.ticks
}

// descendants lists what descends from a process, zombies included; it is empty where there is no /proc.
func descendants(root int) []stat {
	entries, _ := os.ReadDir("/proc")
	children := map[int][]stat{}
	for _, entry := range entries {
		if pid, err := strconv.Atoi(entry.Name()); err == nil {
			if s, ok := readStat(pid); ok {
				children[s.ppid] = append(children[s.ppid], s)
			}
		}
	}
	var all []stat
	for queue := []int{root}; len(queue) > 0; queue = queue[1:] {
		for _, s := range children[queue[0]] {
			all = append(all, s)
			queue = append(queue, s.pid)
		}
	}
	return all
}

// strays lists the living processes of the cell.
func (l *lab) strays() []int {
	var pids []int
	for _, s := range descendants(os.Getpid()) {
		if s.state != 'Z' && s.state != 'X' {
			pids = append(pids, s.pid)
		}
	}
	marked, _ := ptytest.Marked(l.marker)
	for _, p := range marked {
		pids = append(pids, p.Pid)
	}
	return pids
}
