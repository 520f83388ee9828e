package lifecycle

import "testing"

func TestRepairFor(t *testing.T) {
	t.Parallel()
	const week = StaleAfterMS
	tests := []struct {
		name string
		f    RepairFacts
		want Repair
	}{
		{"open, touched just now", RepairFacts{Kind: KindReview}, RepairNone},
		{"open, quiet for a week to the millisecond", RepairFacts{Kind: KindReview, QuietMS: week}, RepairNone},
		{"open, quiet for longer", RepairFacts{Kind: KindReview, QuietMS: week + 1}, RepairStale},
		{"open, quiet for longer, its round complete", RepairFacts{Kind: KindMap, Artifact: true, QuietMS: week + 1}, RepairStale},
		{"open, quiet for longer, somebody at work", RepairFacts{Kind: KindReview, InFlight: true, QuietMS: week + 1}, RepairNone},
		{"open, its clock set back", RepairFacts{Kind: KindReview, QuietMS: -week}, RepairNone},
		{"open with a report", RepairFacts{Kind: KindReview, Report: true}, RepairNone},
		{"closed and complete", RepairFacts{Kind: KindReview, Closed: true, Artifact: true}, RepairNone},
		{"closed for a reason, with a report", RepairFacts{Kind: KindReview, Closed: true, Reason: true, Report: true}, RepairNone},
		{"closed review with a report alone", RepairFacts{Kind: KindReview, Closed: true, Report: true}, RepairRound},
		{"closed map with a report alone", RepairFacts{Kind: KindMap, Closed: true, Report: true}, RepairMap},
		{"closed with nothing", RepairFacts{Kind: KindReview, Closed: true}, RepairGrandfather},
		{"closed with nothing, long ago", RepairFacts{Kind: KindMap, Closed: true, QuietMS: week + 1}, RepairGrandfather},
	}
	for _, tt := range tests {
		if got := RepairFor(tt.f); got != tt.want {
			t.Errorf("%s: %s, want %s", tt.name, got, tt.want)
		}
	}
}
