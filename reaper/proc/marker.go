package proc

import (
	"bytes"
	"slices"
	"strings"
)

// The variables by which a run marks everything it starts.
const (
	// EnvUID names the execution a process belongs to.
	EnvUID = "OCR_RUN_UID"
	// EnvLineage is root/parent/self: the executions a process is part of.
	EnvLineage = "OCR_RUN_LINEAGE"
	// EnvKeep lists, slashes between them, the executions whose end a process is
	// meant to outlive. Runs begun below it are not in the list and stop what is
	// theirs as ever.
	EnvKeep = "OCR_RUN_KEEP"
)

// Marker is what the environment of a process says about whose it is. The zero
// value says nothing. Environments are inherited and may be copied, cleared or
// made up: a marker is one proof and never enough alone.
type Marker struct {
	UID     string
	Lineage string
	Keep    string
}

// Spared says whether the process is meant to outlive execution uid.
func (m Marker) Spared(uid string) bool {
	return uid != "" && m.Keep != "" && slices.Contains(strings.Split(m.Keep, "/"), uid)
}

// Below says whether execution uid stands in the lineage, the process's own
// execution included.
func (m Marker) Below(uid string) bool {
	return uid != "" && slices.Contains(strings.Split(m.Lineage, "/"), uid)
}

// markPrefix begins the name of every variable of a marker.
const markPrefix = "OCR_RUN_"

// MarkerReader reads markers. It keeps one buffer for all of them: most
// processes have none, and are asked for nothing else. Its zero value is ready;
// it is not for several goroutines at a time.
type MarkerReader struct{ buf []byte }

// Read is the marker of a process. It takes the right to trace the process, as
// [Environ] does; ErrGone when there is no such process.
func (r *MarkerReader) Read(pid int) (Marker, error) {
	block, err := environBlock(pid, &r.buf)
	if err != nil {
		return Marker{}, err
	}
	return parseMarker(block), nil
}

// parseMarker looks for the variables in a block of strings that each end in a
// zero byte. Of a variable given twice the first counts, as in a C program.
func parseMarker(block []byte) Marker {
	var m Marker
	for rest := block; ; {
		i := bytes.Index(rest, []byte(markPrefix))
		if i < 0 {
			return m
		}
		entry, after, _ := bytes.Cut(rest[i:], []byte{0})
		// In the middle of another variable's name or value it is no variable.
		if at := len(block) - len(rest) + i; at == 0 || block[at-1] == 0 {
			m.take(string(entry))
		}
		rest = after
	}
}

// take keeps one KEY=VALUE if it is part of the marker and not known yet.
func (m *Marker) take(entry string) {
	key, value, found := strings.Cut(entry, "=")
	if !found {
		return
	}
	for name, to := range map[string]*string{EnvUID: &m.UID, EnvLineage: &m.Lineage, EnvKeep: &m.Keep} {
		if key == name && *to == "" {
			*to = value
		}
	}
}
