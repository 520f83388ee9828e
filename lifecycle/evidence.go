package lifecycle

// EvidenceSource is where a piece of evidence was found.
type EvidenceSource string

// The sources, strongest first.
const (
	// SourceOwnAct is something the wrapper did or saw done itself.
	SourceOwnAct EvidenceSource = "own-act"
	// SourceHook is an event the agent's own hooks reported.
	SourceHook EvidenceSource = "hook"
	// SourceTelemetry is what the agent wrote about its model's answers for us.
	SourceTelemetry EvidenceSource = "telemetry"
	// SourceRecord is the agent's durable session record.
	SourceRecord EvidenceSource = "record"
	// SourceJSON is a terminal status in the agent's JSON output.
	SourceJSON EvidenceSource = "json"
	// SourceText is anchored text in the stripped tail of the output.
	SourceText EvidenceSource = "text"
	// SourceClock is a sleep or a stall near the end.
	SourceClock EvidenceSource = "clock"
	// SourceKernel is what the kernel said: a signal, a core, an OOM count.
	SourceKernel EvidenceSource = "kernel"
	// SourceLedger is a fact already written down: a workflow, a turn.
	SourceLedger EvidenceSource = "ledger"
)

// EvidenceSources lists every source, strongest first.
func EvidenceSources() []EvidenceSource {
	return []EvidenceSource{
		SourceOwnAct, SourceHook, SourceTelemetry, SourceRecord, SourceJSON, SourceText, SourceClock, SourceKernel, SourceLedger,
	}
}

// Evidence is one observation about why a run ended. It is stored as seen; what
// follows from it is derived.
type Evidence struct {
	Source EvidenceSource `json:"source"`
	// Detail says what was seen, for a person.
	Detail string `json:"detail"`
	// AtMS is when it was seen, in wall-clock UTC milliseconds.
	AtMS int64 `json:"at_ms"`
	// Points names the cause this observation speaks for; empty when it is
	// only context.
	Points Cause `json:"points,omitempty"`
	// TurnFailed is true when it proves that the last turn did not complete.
	TurnFailed bool `json:"turn_failed,omitempty"`
	// Turn is how the last turn stood by this observation, where no turn was
	// reported as it happened; empty when it says nothing about that.
	Turn TurnState `json:"turn,omitempty"`
}

// evidenceCause is the cause the strongest evidence points at, or "". A
// disconnect with a sleep near it is a sleep.
func evidenceCause(all []Evidence) Cause {
	best, rank := Cause(""), len(EvidenceSources())
	slept := false
	for _, e := range all {
		slept = slept || e.Points == CauseSleep
		if r := sourceRank(e.Source); e.Points != "" && r < rank {
			best, rank = e.Points, r
		}
	}
	if best == CauseDisconnect && slept {
		return CauseSleep
	}
	return best
}

// sourceRank is the place of a source in the order of strength, 0 first.
func sourceRank(s EvidenceSource) int {
	for i, v := range EvidenceSources() {
		if v == s {
			return i
		}
	}
	return len(EvidenceSources())
}
