package lifecycle

// Repair is what a workflow needs to agree with what is known about it. The
// words are those of Open Code Review's "state reconcile".
type Repair string

// The repairs.
const (
	// RepairNone is a workflow that agrees already.
	RepairNone Repair = "ok"
	// RepairRound is a closed review whose report proves a round that nobody
	// recorded as complete.
	RepairRound Repair = "synthesize-round-completed"
	// RepairMap is the same of a map.
	RepairMap Repair = "synthesize-map-completed"
	// RepairGrandfather is a closed workflow with neither a completion nor a
	// reason, and nothing to prove one by.
	RepairGrandfather Repair = "grandfather"
	// RepairStale is an open workflow that nobody works on or has touched for
	// longer than StaleAfterMS.
	RepairStale Repair = "stale-close"
)

// Repairs lists every repair.
func Repairs() []Repair {
	return []Repair{RepairNone, RepairRound, RepairMap, RepairGrandfather, RepairStale}
}

// StaleAfterMS is how long an open workflow may be quiet, in wall-clock
// milliseconds: 7 days. Nobody is at work on it, so that a night's sleep is no
// reason to wait longer.
const StaleAfterMS = 7 * 24 * 60 * 60 * 1000

// RepairFacts is what a repair is decided by. Its zero value is an open
// workflow without a kind that was touched just now.
type RepairFacts struct {
	Kind Kind
	// Closed: the workflow is closed.
	Closed bool
	// Artifact: the current round has its completion event.
	Artifact bool
	// Reason: there is an event that allows closing without an artifact.
	Reason bool
	// Report: the current round's report is on disk.
	Report bool
	// InFlight: an execution that has not ended works on it.
	InFlight bool
	// QuietMS is the wall-clock time since its last event, in milliseconds.
	QuietMS int64
}

// RepairFor decides what a workflow needs. An abandoned workflow is closed, a
// closed one gets the event it lacks; nothing is ever opened, and no reason
// that somebody gave is overruled.
func RepairFor(f RepairFacts) Repair {
	switch {
	case !f.Closed && f.QuietMS > StaleAfterMS && !f.InFlight:
		return RepairStale
	case !f.Closed, f.Artifact, f.Reason:
		return RepairNone
	case f.Report && f.Kind == KindReview:
		return RepairRound
	case f.Report && f.Kind == KindMap:
		return RepairMap
	default:
		return RepairGrandfather
	}
}
