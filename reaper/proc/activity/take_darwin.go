package activity

import (
	"context"
	"os/exec"
	"strconv"
	"strings"
	"time"

	"github.com/ocr-run/ocr-run/reaper/proc"
)

// psWithin bounds how long ps may take.
const psWithin = 2 * time.Second

// Take samples these processes. One that is not there, or is a zombie, adds nothing.
func Take(pids []int) Sample {
	s := Sample{each: make(map[key]usage, len(pids))}
	if len(pids) == 0 {
		return s
	}
	list := make([]string, len(pids))
	for i, pid := range pids {
		list[i] = strconv.Itoa(pid)
	}
	ctx, cancel := context.WithTimeout(context.Background(), psWithin)
	defer cancel()
	// It exits with 1 when one of them is not there, and lists the others.
	out, _ := exec.CommandContext(ctx, "/bin/ps", "-o", "pid=,rss=,time=", "-p", strings.Join(list, ",")).Output()
	for pid, u := range parsePS(string(out)) {
		// The start time makes it the same process next time.
		p, err := proc.Read(pid)
		if err != nil || p.Dead() {
			continue
		}
		u.hidden = true
		s.add(key{pid, p.Start}, u)
	}
	return s
}
