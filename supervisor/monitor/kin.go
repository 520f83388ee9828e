package monitor

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"

	"github.com/ocr-run/ocr-run/heartbeat/runfile"
	"github.com/ocr-run/ocr-run/reaper/proc"
)

// Kin is what a run has below this process. Everything there is the run's: as a
// subreaper the process inherits whatever the run lets go of.
type Kin struct {
	UID string
	// RunFile is the run's own file, empty without one: other executions are then
	// not told apart.
	RunFile string
	// Helper is a child of this process that is none of the run's; nil where there
	// never is one.
	Helper *atomic.Int64
}

// Below lists all processes of the run. A helper of the wrapper we are in is none.
func (k Kin) Below() ([]proc.Process, error) {
	all, err := proc.Descendants(os.Getpid())
	if k.Helper == nil {
		return all, err
	}
	helper := int(k.Helper.Load())
	return slices.DeleteFunc(all, func(p proc.Process) bool { return helper != 0 && p.PID == helper }), err
}

// Keep spares a process that is meant to stay, and one that belongs to another
// execution whose wrapper lives: that is stopped through its own cancel, or not at
// all. A wrapper itself still carries the marker of the run it was started in, but
// its monitor, a child of its, carries its own, and the lease is in its hands.
func (k Kin) Keep(p proc.Process) (reason string, keep bool) {
	if reason, stays := proc.Stays(p, k.UID); stays {
		return reason, true
	}
	kids, _ := proc.Children(p.PID)
	for _, pid := range append([]int{p.PID}, kids...) {
		uid, ok, err := proc.LookupEnv(pid, proc.EnvUID)
		if err == nil && ok && k.foreign(uid) {
			return "belongs to execution " + uid, true
		}
	}
	if uid, ok := k.nestedIn(p.PID); ok {
		return "belongs to execution " + uid, true
	}
	return "", false
}

// foreign says whether uid is another execution of this ledger with a living
// wrapper.
func (k Kin) foreign(uid string) bool {
	if uid == k.UID || k.RunFile == "" || uid == "" || strings.ContainsRune(uid, filepath.Separator) {
		return false
	}
	held, err := runfile.Held(filepath.Join(filepath.Dir(k.RunFile), uid))
	return err == nil && held
}
