package reaper

import (
	"context"
	"errors"

	"github.com/ocr-run/ocr-run/heartbeat"
	"github.com/ocr-run/ocr-run/reaper/proc"
	"github.com/ocr-run/ocr-run/store"
)

// thawLeft lets the control groups go on of runs that nobody looks after. A sweep
// halts them for as long as it looks; one that was killed at that moment has left
// them so, and with them whatever nested run lives inside. The runs to
// spare are known to be looked after.
func thawLeft(ctx context.Context, l *store.Ledger, stateDir string, at heartbeat.Observer, spare map[string]bool) error {
	var failures []error
	for _, uid := range filedUIDs(stateDir) {
		if spare[uid] {
			continue
		}
		e, err := l.Execution(ctx, uid)
		if errors.Is(err, store.ErrNotFound) {
			continue
		}
		if err != nil {
			failures = append(failures, err)
		}
		if g, there := proc.GroupAt(e.Launch.Cgroup); there && standingOf(e, at) != StandingLive {
			_ = g.Freeze(false) // one that is gone needs it no more
		}
	}
	return errors.Join(failures...)
}
