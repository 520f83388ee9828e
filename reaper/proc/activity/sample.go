package activity

import (
	"fmt"
	"time"

	"github.com/ocr-run/ocr-run/reaper/proc"
)

// Sample is what some processes had used up at one moment. The zero value is no
// sample.
type Sample struct {
	// CPU is the processor time of all of them, of the children they have buried
	// included.
	CPU time.Duration
	// ReadBytes and WriteBytes went through their read and write calls, to files,
	// pipes, terminals and most sockets alike. 0 where the system does not tell, as on
	// macOS.
	ReadBytes, WriteBytes int64
	// Resident is their memory in bytes. What two of them share counts twice.
	Resident int64
	// Processes is how many there were. Zombies are none.
	Processes int
	// Unreadable is of how many of them what they read and write is hidden.
	Unreadable int

	// each is what every one has used up, for Compare.
	each map[key]usage
}

// key tells processes apart within a boot.
type key struct {
	pid   int
	start uint64
}

// usage is what one process has used up: by itself, and buried children included
// where the kernel counts them together, as it does for bytes.
type usage struct {
	cpu, buried time.Duration
	read, write int64
	resident    int64
	hidden      bool
}

// Tree samples a process and everything below it.
func Tree(root int) (Sample, error) {
	below, err := proc.Descendants(root)
	if err != nil {
		return Sample{}, fmt.Errorf("sample processes: %w", err)
	}
	pids := make([]int, 0, len(below)+1)
	pids = append(pids, root)
	for _, p := range below {
		pids = append(pids, p.PID)
	}
	return Take(pids), nil
}

// add takes one process in.
func (s *Sample) add(k key, u usage) {
	if _, twice := s.each[k]; twice {
		return
	}
	s.each[k] = u
	s.Processes++
	s.CPU += u.cpu + u.buried
	s.ReadBytes += u.read
	s.WriteBytes += u.write
	s.Resident += u.resident
	if u.hidden {
		s.Unreadable++
	}
}
