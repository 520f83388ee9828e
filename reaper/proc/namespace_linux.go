package proc

import (
	"bytes"
	"slices"
	"strconv"

	"golang.org/x/sys/unix"
)

// firstNamespace is the number the kernel gives to the machine's own pid namespace.
const firstNamespace = 0xEFFFFFFC

// Locate finds processes by the pids they have in another pid namespace of this boot,
// and their starts, at one look: each with its pid here, 0 when it is not seen. Where
// certain is true, that one is not there either: we are in the namespace that contains
// all others, and nothing is hidden from us.
func Locate(namespace uint64, wanted ...Process) (here []int, certain bool) {
	here = make([]int, len(wanted))
	all, err := All()
	for _, p := range all {
		for i, w := range wanted {
			if w.Start != 0 && p.Start == w.Start && !p.Dead() && isKnownAs(p.PID, namespace, w.PID) {
				here[i] = p.PID
			}
		}
	}
	if err != nil || PIDNamespace() != firstNamespace {
		return here, false
	}
	// A /proc that hides the processes of others hides this one.
	_, err = Read(1)
	return here, err == nil
}

// isKnownAs says whether a process has a pid in some namespace below ours. Of one
// that was born there the namespace is known and compared, if we may: init has the
// same number in all of them.
func isKnownAs(here int, namespace uint64, pid int) bool {
	b, err := readAll(procPath(here, "status"))
	if err != nil {
		return false
	}
	known := pidsIn(b)
	if len(known) < 2 || !slices.Contains(known[1:], pid) {
		return false
	}
	var st unix.Stat_t
	if known[len(known)-1] != pid || unix.Stat(procPath(here, "ns/pid"), &st) != nil {
		return true
	}
	return st.Ino == namespace
}

// pidsIn are the pids of a process from our namespace down to its own, as its status
// file has them.
func pidsIn(status []byte) (pids []int) {
	_, line, _ := bytes.Cut(status, []byte("\nNSpid:"))
	line, _, _ = bytes.Cut(line, []byte("\n"))
	for f := range bytes.FieldsSeq(line) {
		if n, err := strconv.Atoi(string(f)); err == nil {
			pids = append(pids, n)
		}
	}
	return pids
}
