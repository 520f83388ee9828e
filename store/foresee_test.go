package store_test

import (
	"testing"

	"github.com/ocr-run/ocr-run/store"
	"github.com/ocr-run/ocr-run/store/storetest"
)

// What was made ready for the end writes what would have been written anyway, as
// often as it is used, and for a run it was not made for as well.
func TestForeseenEndIsTheSame(t *testing.T) {
	t.Parallel()
	for _, foreseen := range []bool{false, true} {
		l := storetest.New(t)
		for n, uid := range []string{"short", "another", "launched-before"} {
			_, err := l.Announce(t.Context(), storetest.Announcement(uid, 100+n, 1000))
			must(t, err)
			if foreseen {
				must(t, l.Foresee(t.Context()))
			}
			e, launch := storetest.Exit(uid, n, 2000), storetest.Launch(uid, 200+n, 1500)
			if n < 2 {
				e.Launch = &launch
			} else {
				must(t, l.Launched(t.Context(), launch))
			}
			alone, err := l.Finish(t.Context(), e)
			must(t, err)
			if !alone {
				t.Errorf("%s, foreseen %v: not alone", uid, foreseen)
			}
			row, err := l.Execution(t.Context(), uid)
			must(t, err)
			if row.StartedAtMS != 1500 || row.EndedAtMS != 2000 || row.Process.ExitCode == nil || *row.Process.ExitCode != n {
				t.Errorf("%s, foreseen %v: %+v", uid, foreseen, row)
			}
			var types []string
			events, err := l.Events(t.Context(), store.EventFilter{UID: uid})
			must(t, err)
			for _, e := range events {
				types = append(types, string(e.Type))
			}
			wantSame(t, types, []string{"execution_announced", "execution_started", "execution_ended"})
		}
	}
}
