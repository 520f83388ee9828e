package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// adoptOrphans makes the bench the parent of what its runs leave behind.
func adoptOrphans() error {
	if err := unix.Prctl(unix.PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0); err != nil {
		return fmt.Errorf("adopt orphans: %w", err)
	}
	return nil
}

// processes reads the process table; what vanishes meanwhile is left out.
func processes() []process {
	entries, err := os.ReadDir("/proc")
	if err != nil {
		return nil
	}
	var table []process
	for _, entry := range entries {
		pid, err := strconv.Atoi(entry.Name())
		if err != nil {
			continue
		}
		if p, ok := readProcess(pid); ok {
			table = append(table, p)
		}
	}
	return table
}

// readProcess reads one stat line: "pid (name) state ppid …".
func readProcess(pid int) (process, bool) {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	open, shut := bytes.IndexByte(stat, '('), bytes.LastIndexByte(stat, ')')
	if err != nil || open < 0 || shut < open {
		return process{}, false
	}
	fields := strings.Fields(string(stat[shut+1:]))
	if len(fields) < 2 {
		return process{}, false
	}
	parent, err := strconv.Atoi(fields[1])
	return process{pid: pid, parent: parent, name: string(stat[open+1 : shut]), dead: fields[0] == "Z"}, err == nil
}

// readUsage adds up what some processes hold and have used.
func readUsage(tree []process) (usage, error) {
	var sum usage
	for _, p := range tree {
		dir := fmt.Sprintf("/proc/%d", p.pid)
		status, err := os.ReadFile(dir + "/status")
		if err != nil {
			return sum, err
		}
		rollup, err := os.ReadFile(dir + "/smaps_rollup")
		if err != nil {
			return sum, err
		}
		sum.processes++
		sum.peakMB += field(status, "VmHWM") / 1024
		sum.residentMB += field(status, "VmRSS") / 1024
		sum.anonMB += field(status, "RssAnon") / 1024
		sum.shareMB += field(rollup, "Pss") / 1024
		if err := sum.addThreads(dir); err != nil {
			return sum, err
		}
		// 5 resets VmHWM to the present size. Source: proc_pid_clear_refs(5).
		if err := os.WriteFile(dir+"/clear_refs", []byte("5"), 0); err != nil {
			return sum, err
		}
	}
	return sum, nil
}

// addThreads adds the counters the kernel keeps for each thread.
func (u *usage) addThreads(dir string) error {
	tasks, err := filepath.Glob(dir + "/task/*")
	if err != nil {
		return err
	}
	for _, task := range tasks {
		status, err := os.ReadFile(task + "/status")
		if err != nil {
			continue // the thread has just ended
		}
		u.threads++
		u.switches += field(status, "voluntary_ctxt_switches") + field(status, "nonvoluntary_ctxt_switches")
		if line, err := os.ReadFile(task + "/schedstat"); err == nil {
			ns, _, _ := strings.Cut(string(line), " ")
			ran, _ := strconv.ParseFloat(ns, 64)
			u.cpuMS += ran / 1e6
		}
	}
	return nil
}

// field reads the number behind "name:" in a status file; 0 when absent.
func field(status []byte, name string) float64 {
	for line := range bytes.Lines(status) {
		if value, found := strings.CutPrefix(string(line), name+":"); found {
			words := strings.Fields(value)
			if len(words) == 0 {
				return 0
			}
			v, _ := strconv.ParseFloat(words[0], 64)
			return v
		}
	}
	return 0
}
