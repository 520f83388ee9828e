package ocrdb

import (
	"testing"

	"github.com/ocr-run/ocr-run/lifecycle"
)

// A history is told in its order and as it was written, in every era.
func TestEvents(t *testing.T) {
	t.Parallel()
	for _, era := range eras() {
		t.Run(era, func(t *testing.T) {
			t.Parallel()
			h := hostWith(t, era)
			id := map[string]string{"v9": "2026-11-21-feat-csv-export", "v11": "2026-05-20-feat-csv-export", "v14": "2026-07-30-feat-csv-export"}[era]
			list, err := h.Events(t.Context(), id)
			if err != nil || len(list) < 3 {
				t.Fatalf("events %+v, %v", list, err)
			}
			for i, e := range list {
				if e.ID == 0 || e.AtMS == 0 || i > 0 && e.ID <= list[i-1].ID {
					t.Errorf("event %d is %+v", i, e)
				}
			}
			first, last := list[0], list[len(list)-1]
			if first.Type != lifecycle.EventSessionCreated || first.Phase != "context" || first.PhaseNumber != 1 || first.Round != 1 {
				t.Errorf("first event is %+v", first)
			}
			if last.Type != lifecycle.EventSessionClosed {
				t.Errorf("last event is %+v", last)
			}
			none, err := h.Events(t.Context(), "nothing")
			if err != nil || len(none) != 0 {
				t.Errorf("events of nothing: %+v, %v", none, err)
			}
		})
	}
}

// What the product left null is nothing, also in a lease, which has no phase.
func TestEventOfALease(t *testing.T) {
	t.Parallel()
	list, err := hostWith(t, "v14").Events(t.Context(), "2026-07-30-fix-cache-ttl")
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range list {
		if e.Type == lifecycle.EventSessionResumed && e.Phase == "" && e.PhaseNumber == 0 && e.Metadata != "" {
			return
		}
	}
	t.Errorf("no lease among %+v", list)
}
