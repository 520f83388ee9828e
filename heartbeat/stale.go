package heartbeat

import (
	"time"

	"github.com/ocr-run/ocr-run/heartbeat/clock"
	"github.com/ocr-run/ocr-run/store"
)

// DefaultStale is the awake time after which a silent wrapper is late: six
// beats of the default interval, so that no single slow one shows.
const DefaultStale = 60 * time.Second

// staleBeats is how many intervals a wrapper with a slower beat may miss.
const staleBeats = 6

// Liveness is how a run's wrapper is doing, as far as can be told from outside.
type Liveness string

// The states of a wrapper.
const (
	// LivenessLive is a wrapper that lives and beats.
	LivenessLive Liveness = "live"
	// LivenessLate is a wrapper that has not been proved dead and does not beat.
	LivenessLate Liveness = "late"
	// LivenessStopped is a wrapper suspended by job control.
	LivenessStopped Liveness = "stopped"
	// LivenessGone is a wrapper that is dead while its row says running.
	LivenessGone Liveness = "gone"
	// LivenessEnded is a row that has ended.
	LivenessEnded Liveness = "ended"
)

// Witness is the answer to a yes-or-no question about a wrapper that cannot
// always be asked. The zero value is no answer.
type Witness int

// The answers.
const (
	Unknown Witness = iota
	Yes
	No
)

// Facts is what a judgement of a wrapper rests on. Its zero value is a running
// row about which nothing is known; it is judged late.
type Facts struct {
	// Over is true when the row has ended.
	Over bool
	// Stopped is true when job control suspended the wrapper.
	Stopped bool
	// MachineID is the wrapper's machine; empty when it has no name.
	MachineID string
	// Beat is the last beat, or the announcement before the first.
	Beat store.Instant
	// Interval is the time between beats; 0 means DefaultInterval.
	Interval time.Duration
	// Lease says whether the run's lease is held: the answer of Held in package runfile, or
	// Unknown when the run has no file or it cannot be read.
	Lease Witness
	// Freed is true when the run's file is there and nobody holds its lease. The lease is
	// the kernel's, whatever pid namespace the wrapper was in: it is dead, or at its very
	// end.
	Freed bool
	// Alive says whether the wrapper's recorded identity still exists. It can
	// only be asked where the wrapper's pid namespace can be seen.
	Alive Witness
}

// FactsOf takes from a row what it can tell. Lease and Alive are left Unknown:
// they are asked of the system, not of the ledger.
func FactsOf(e store.Execution) Facts {
	f := Facts{
		Over:      e.Process.End.Over(),
		Stopped:   e.StoppedSinceMS != 0,
		MachineID: e.Wrapper.MachineID,
		Beat:      e.LastBeat,
		Interval:  time.Duration(e.BeatMS) * time.Millisecond,
	}
	if f.Beat.BootID == "" {
		f.Beat = e.At
	}
	return f
}

// Observer is where and when a judgement is made.
type Observer struct {
	// MachineID is this machine's name; empty when it has none.
	MachineID string
	// Now is the present moment, with this machine's boot id.
	Now store.Instant
}

// Judge says how a wrapper is doing. It never takes age for death: gone needs
// another boot or a dead identity without a lease. Of an identity that cannot be
// asked about, it needs a file with a free lease, or no file while the beat is old.
func Judge(f Facts, o Observer) Liveness {
	switch {
	case f.Over:
		return LivenessEnded
	case f.Lease == Yes:
		return livelinessOf(f, o)
	case f.Beat.BootID != o.Now.BootID:
		return judgeOtherBoot(f, o)
	case f.Alive == No:
		return LivenessGone
	case f.Lease == No && f.Alive == Unknown && (f.Freed || !fresh(f, o)):
		return LivenessGone
	default:
		return livelinessOf(f, o)
	}
}

// livelinessOf tells the states of a wrapper that is not known to be dead.
func livelinessOf(f Facts, o Observer) Liveness {
	switch {
	case f.Stopped:
		return LivenessStopped
	case fresh(f, o):
		return LivenessLive
	default:
		return LivenessLate
	}
}

// judgeOtherBoot judges a beat of another boot: of this machine it is proof of
// death; of another one, which a shared directory can show us, it is no proof of
// anything, and neither is it when a boot is not known, as without a /proc. A free
// lease then is, on the machine that would hold it.
func judgeOtherBoot(f Facts, o Observer) Liveness {
	named := f.MachineID != "" && o.MachineID != ""
	foreign := named && f.MachineID != o.MachineID
	if named && !foreign && f.Freed {
		return LivenessGone
	}
	if foreign || f.Beat.BootID == "" || o.Now.BootID == "" {
		return LivenessLate
	}
	return LivenessGone
}

// fresh says whether the last beat is younger than the limit, in awake time.
func fresh(f Facts, o Observer) bool {
	if f.Beat.BootID == "" || f.Beat.BootID != o.Now.BootID {
		return false
	}
	age := time.Duration(o.Now.AwakeMS-f.Beat.AwakeMS) * time.Millisecond
	return age <= StaleAfter(f.Interval)
}

// StaleAfter is the awake time after which a wrapper with that interval is
// late; 0 means DefaultInterval.
func StaleAfter(interval time.Duration) time.Duration {
	return max(DefaultStale, staleBeats*interval)
}

// InstantOf is a reading as the ledger keeps it.
func InstantOf(r clock.Reading, bootID string) store.Instant {
	return store.Instant{
		WallMS:  r.Wall.UnixMilli(),
		AwakeMS: r.Awake.Milliseconds(),
		BootID:  bootID,
	}
}
