package store_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/ocr-run/ocr-run/lifecycle"
	"github.com/ocr-run/ocr-run/store"
	"github.com/ocr-run/ocr-run/store/storetest"
)

// desk is a recorder whose ledger can be taken away.
type desk struct {
	*store.Recorder
	path, spool string
	away        atomic.Bool
	logged      atomic.Int32
}

var errAway = errors.New("ledger is away")

func newDesk(t *testing.T) *desk {
	t.Helper()
	dir := t.TempDir()
	d := &desk{path: filepath.Join(dir, "ledger.db"), spool: filepath.Join(dir, "spool")}
	d.Recorder = store.NewRecorder(store.RecorderConfig{
		SpoolDir: d.spool,
		Timeout:  time.Hour,
		Log:      func(error) { d.logged.Add(1) },
		Open:     d.open,
	})
	t.Cleanup(func() { must(t, d.Close()) })
	return d
}

// open opens the ledger, unless it was taken away.
func (d *desk) open(ctx context.Context) (*store.Ledger, error) {
	if d.away.Load() {
		return nil, errAway
	}
	return store.Open(ctx, store.Config{Path: d.path, BusyTimeout: 10 * time.Millisecond})
}

// live writes the facts of a whole life, the end excepted.
func (d *desk) live(t *testing.T) {
	t.Helper()
	generation, err := d.Announce(t.Context(), storetest.Announcement("u1", 100, 1000))
	must(t, err)
	if generation != 1 {
		t.Errorf("generation is %d", generation)
	}
	must(t, d.Launched(t.Context(), storetest.Launch("u1", 102, 2000)))
	must(t, d.Suspend(t.Context(), "u1", 1, storetest.At(3000), 20))
	must(t, d.Continue(t.Context(), "u1", 1, storetest.At(4000)))
	_, err = d.Append(t.Context(), store.Event{UID: "u1", Type: lifecycle.EventSlept, AtMS: 4500})
	must(t, err)
}

// liveDesk is a desk at which a run lives, and the ledger that has it.
func liveDesk(t *testing.T) (*desk, *store.Ledger) {
	t.Helper()
	d := newDesk(t)
	d.live(t)
	l, err := d.Ledger(t.Context())
	must(t, err)
	return d, l
}

// beatInVain beats while nothing takes beats, which is an error: the next one must
// say what this one said.
func (d *desk) beatInVain(t *testing.T) {
	t.Helper()
	answer, err := d.Beat(t.Context(), store.Beat{UID: "u1", Generation: 1, At: storetest.At(5000)})
	if err == nil || answer != (store.BeatAnswer{}) {
		t.Errorf("a beat that went nowhere answers %+v, %v", answer, err)
	}
}

func (d *desk) beat(t *testing.T) store.BeatAnswer {
	t.Helper()
	answer, err := d.Beat(t.Context(), store.Beat{UID: "u1", Generation: 1, At: storetest.At(5000)})
	must(t, err)
	return answer
}

func (d *desk) finish(t *testing.T) {
	t.Helper()
	must(t, finish(t.Context(), d, storetest.Exit("u1", 0, 9000)))
}

// takeIn brings the ledger back and empties the spool into it.
func (d *desk) takeIn(t *testing.T, want int) *store.Ledger {
	t.Helper()
	l := storetest.Open(t, d.path)
	n, err := store.IngestSpool(t.Context(), l, d.spool)
	must(t, err)
	if n != want {
		t.Errorf("%d facts taken in, want %d", n, want)
	}
	return l
}

func (d *desk) wantSpool(t *testing.T, want ...string) {
	t.Helper()
	entries, err := os.ReadDir(d.spool)
	if err != nil && !os.IsNotExist(err) {
		t.Fatal(err)
	}
	var got []string
	for _, e := range entries {
		if e.Name() != ".lock" {
			got = append(got, e.Name())
		}
	}
	wantSame(t, got, want)
}

func lifeEvents() []lifecycle.EventType {
	return []lifecycle.EventType{
		lifecycle.EventAnnounced, lifecycle.EventStarted, lifecycle.EventSuspended,
		lifecycle.EventContinued, lifecycle.EventSlept, lifecycle.EventEnded,
	}
}

func TestARecorderWritesToTheLedger(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	d.live(t)
	d.beat(t)
	d.finish(t)
	d.wantSpool(t)
	if d.Degraded() || d.logged.Load() != 0 {
		t.Error("a healthy recorder is degraded")
	}
	l, err := d.Ledger(t.Context())
	must(t, err)
	if e := execution(t, l, "u1"); e.Degraded || e.Beats != 1 || e.Process.End != lifecycle.EndExited {
		t.Errorf("row is %+v", e)
	}
	wantEvents(t, l, "u1", lifeEvents()...)
}

func TestWithoutALedgerFactsGoToTheSpool(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	d.away.Store(true)
	d.live(t)
	d.beatInVain(t)
	d.finish(t)
	d.wantSpool(t, "u1.jsonl")
	if !d.Degraded() || d.logged.Load() != 1 {
		t.Errorf("degraded %v, logged %d times", d.Degraded(), d.logged.Load())
	}
	l := d.takeIn(t, 6)
	d.wantSpool(t)
	e := execution(t, l, "u1")
	if !e.Degraded || *e.Process.ExitCode != 0 || e.StartedAtMS != 2000 || e.EndedAtMS != 9000 {
		t.Errorf("row is %+v", e)
	}
	events := lifeEvents()
	wantEvents(t, l, "u1", append(append(events[:1:1], lifecycle.EventDegraded), events[1:]...)...)
	d.takeIn(t, 0)
}

func TestARecorderFindsTheLedgerAgain(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	d.away.Store(true)
	d.live(t)
	d.away.Store(false)
	d.beat(t)
	d.wantSpool(t)
	d.finish(t)
	l, err := d.Ledger(t.Context())
	must(t, err)
	if e := execution(t, l, "u1"); !e.Degraded || e.Beats != 1 || e.Process.End != lifecycle.EndExited || !d.Degraded() {
		t.Errorf("row is %+v", e)
	}
}

func TestALockedLedgerDelaysNobody(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	_, err := d.Announce(t.Context(), storetest.Announcement("u1", 100, 1000))
	must(t, err)
	release := hold(t, d.path)
	must(t, d.Launched(t.Context(), storetest.Launch("u1", 102, 2000)))
	d.beatInVain(t)
	d.wantSpool(t, "u1.jsonl.taken")
	release()
	d.finish(t)
	d.wantSpool(t)
	l, err := d.Ledger(t.Context())
	must(t, err)
	wantEvents(t, l, "u1", lifecycle.EventAnnounced, lifecycle.EventDegraded, lifecycle.EventStarted, lifecycle.EventEnded)
}

// Of many facts in a row only the first waits for a ledger that is busy.
func TestABusyLedgerIsWaitedForOnce(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	d.live(t)
	release := hold(t, d.path)
	event := func(atMS int64) (seq int64) {
		t.Helper()
		seq, err := d.Append(t.Context(), store.Event{UID: "u1", Type: lifecycle.EventSlept, AtMS: atMS})
		must(t, err)
		return seq
	}
	event(5000)
	release()
	if event(5001) != 0 || event(5999) != 0 {
		t.Error("the ledger was tried again at once")
	}
	d.wantSpool(t, "u1.jsonl")
	if event(6000) == 0 {
		t.Error("the ledger was not tried again later")
	}
	d.wantSpool(t)
}

func TestABeatMayBeSkippedWhereTwoMayNot(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	d.live(t)
	for range 2 {
		release := hold(t, d.path)
		d.beatInVain(t)
		release()
		d.beat(t)
	}
	if d.Degraded() {
		t.Error("a beat that came again degrades the run")
	}
	hold(t, d.path)
	d.beatInVain(t)
	d.beatInVain(t)
	if !d.Degraded() {
		t.Error("a ledger that takes no beats degrades nothing")
	}
}

func TestADeletedLedgerIsWrittenAnew(t *testing.T) {
	t.Parallel()
	for name, next := range map[string]func(*testing.T, *desk){
		"beat":   func(t *testing.T, d *desk) { t.Helper(); d.beat(t) },
		"finish": func(t *testing.T, d *desk) { t.Helper(); d.finish(t) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := newDesk(t)
			d.live(t)
			for _, suffix := range []string{"", "-wal", "-shm"} {
				must(t, os.Remove(d.path+suffix))
			}
			next(t, d)
			l, err := d.Ledger(t.Context())
			must(t, err)
			if e := execution(t, l, "u1"); e.StartedAtMS != 2000 || e.Generation != 1 {
				t.Errorf("row is %+v", e)
			}
			wantSame(t, eventTypes(t, l, "u1")[:3], []lifecycle.EventType{
				lifecycle.EventAnnounced, lifecycle.EventStarted, lifecycle.EventLedgerReplaced,
			})
		})
	}
}

func TestASpoolMakesSenseToALedgerThatKnowsNothing(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	d.live(t)
	d.away.Store(true)
	for _, suffix := range []string{"", "-wal", "-shm"} {
		must(t, os.Remove(d.path+suffix))
	}
	d.finish(t)
	l := d.takeIn(t, 2)
	if e := execution(t, l, "u1"); e.Process.End != lifecycle.EndExited || e.StartedAtMS != 2000 {
		t.Errorf("row is %+v", e)
	}
}

func TestALostRunLearnsItsEndFromTheSpool(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	_, err := d.Announce(t.Context(), storetest.Announcement("u1", 100, 1000))
	must(t, err)
	l := storetest.Open(t, d.path)
	must(t, finish(t.Context(), l, lost("u1", 5000)))
	release := hold(t, d.path)
	must(t, d.Launched(t.Context(), storetest.Launch("u1", 102, 2000)))
	d.finish(t)
	release()
	d.takeIn(t, 3)
	if e := execution(t, l, "u1"); e.Process.End != lifecycle.EndExited || e.StartedAtMS != 2000 {
		t.Errorf("row is %+v", e)
	}
}

// TestAWrapperReportsForItsOwnGeneration: what a wrapper that was replaced saw is not
// about the run that replaced it.
func TestAWrapperReportsForItsOwnGeneration(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	d.live(t)
	report := func(turn string) lifecycle.SessionRefusal {
		t.Helper()
		answer, deferred, err := d.Report(t.Context(), store.SessionReport{
			UID: "u1", At: storetest.At(5000), Event: lifecycle.SessionEvent{Type: lifecycle.SessionEventTurnStarted, Turn: turn},
		})
		must(t, err)
		if deferred {
			t.Error("it went to the spool")
		}
		return answer.Refused
	}
	if refused := report("t1"); refused != "" {
		t.Errorf("refused: %s", refused)
	}
	_, err := raw(t, d.path, "").ExecContext(t.Context(), `UPDATE executions SET generation = 2 WHERE uid = 'u1'`)
	must(t, err)
	if refused := report("t2"); refused != lifecycle.RefusedFenced {
		t.Errorf("refused: %q, want %q", refused, lifecycle.RefusedFenced)
	}
}

func TestVerdictsAreReturnedNotSpooled(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	l := storetest.Open(t, d.path)
	must(t, l.Reannounce(t.Context(), storetest.Announcement("u1", 100, 1000), store.Launch{}, 2))
	wantError(t, finish(t.Context(), d, storetest.Exit("u1", 0, 2000)), store.ErrFenced)
	wantError(t, d.Launched(t.Context(), storetest.Launch("nobody", 5, 1)), store.ErrNotFound)
	if answer, err := d.Beat(t.Context(), store.Beat{UID: "nobody", Generation: 1}); err != nil || !answer.Missing {
		t.Errorf("a beat of nobody answers %+v, %v", answer, err)
	}
	if d.Degraded() {
		t.Error("a verdict counts as trouble")
	}
	d.wantSpool(t)
}

func TestNothingStopsARunThatCanBeRecordedNowhere(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	d.away.Store(true)
	must(t, os.WriteFile(d.spool, nil, 0o600))
	d.live(t)
	d.beatInVain(t)
	d.finish(t)
	if got := d.logged.Load(); got != 2 {
		t.Errorf("logged %d times, want once for the ledger and once for the spool", got)
	}
}

func TestTornAndImpossibleLines(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	d.away.Store(true)
	_, err := d.Announce(t.Context(), storetest.Announcement("u1", 100, 1000))
	must(t, err)
	path := filepath.Join(d.spool, "u1.jsonl")
	appendTo(t, path, "no json\n"+`{"op":"dance"}`+"\n"+`{"op":"suspend","uid":"u1","generation":9,"at":{},"signal":20}`+"\n"+`{"op":"launch","laun`)
	must(t, d.Launched(t.Context(), storetest.Launch("u1", 102, 2000)))
	appendTo(t, path, `{"op":"finish","ending":{"uid":"u1"`)
	l := d.takeIn(t, 2)
	if e := execution(t, l, "u1"); e.StartedAtMS != 2000 || e.Process.End != lifecycle.EndRunning {
		t.Errorf("row is %+v", e)
	}
	d.wantSpool(t, "u1.jsonl.rejected")
	rejected, err := os.ReadFile(filepath.Join(d.spool, "u1.jsonl.rejected"))
	must(t, err)
	lines := strings.Split(strings.TrimSpace(string(rejected)), "\n")
	if len(lines) != 4 || !strings.Contains(lines[1], "no such operation") || !strings.Contains(lines[2], "generation 9") {
		t.Errorf("rejected are %s", rejected)
	}
}

func appendTo(t *testing.T, path, text string) {
	t.Helper()
	f, err := os.OpenFile(path, os.O_APPEND|os.O_WRONLY, 0)
	must(t, err)
	_, err = f.WriteString(text)
	must(t, err)
	must(t, f.Close())
}

// A process that dies between taking a spool in and removing it leaves a file
// whose facts are all known.
func TestASpoolIsTakenInOnce(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	d.away.Store(true)
	d.live(t)
	content, err := os.ReadFile(filepath.Join(d.spool, "u1.jsonl"))
	must(t, err)
	l := d.takeIn(t, 5)
	before := eventTypes(t, l, "u1")
	must(t, os.WriteFile(filepath.Join(d.spool, "u1.jsonl.taken"), content, 0o600))
	d.finish(t)
	d.takeIn(t, 1)
	wantEvents(t, l, "u1", append(before, lifecycle.EventEnded, lifecycle.EventDegraded)...)
	d.wantSpool(t)
}

// A uid that came from outside may be anything.
func TestAStrangeUIDStaysInTheSpool(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	d.away.Store(true)
	for _, uid := range []string{"../../etc/passwd", strings.Repeat("long", 100)} {
		_, err := d.Announce(t.Context(), storetest.Announcement(uid, 100, 1000))
		must(t, err)
		must(t, d.Launched(t.Context(), storetest.Launch(uid, len(uid), 2000)))
		l := d.takeIn(t, 2)
		execution(t, l, uid)
		d.wantSpool(t)
	}
}

// While one process takes a spool in, its wrapper goes on writing to it.
func TestWritingAndTakingInAtOnce(t *testing.T) {
	t.Parallel()
	const facts = 200
	d := newDesk(t)
	d.away.Store(true)
	_, err := d.Announce(t.Context(), storetest.Announcement("u1", 100, 1000))
	must(t, err)
	var wg sync.WaitGroup
	wg.Go(func() {
		for i := range facts {
			e := store.Event{UID: "u1", Type: lifecycle.EventLate, AtMS: int64(i), ExternalID: strconv.Itoa(i)}
			if _, err := d.Append(t.Context(), e); err != nil {
				t.Error(err)
			}
		}
	})
	for range 2 {
		wg.Go(func() {
			l, err := store.Open(t.Context(), store.Config{Path: d.path})
			if err != nil {
				t.Error(err)
				return
			}
			for range 20 {
				if _, err := store.IngestSpool(t.Context(), l, d.spool); err != nil {
					t.Error(err)
				}
			}
			if err := l.Close(); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	l := storetest.Open(t, d.path)
	_, err = store.IngestSpool(t.Context(), l, d.spool)
	must(t, err)
	late := 0
	events, err := l.Events(t.Context(), store.EventFilter{UID: "u1"})
	must(t, err)
	for _, e := range events {
		if e.Type == lifecycle.EventLate {
			if e.AtMS != int64(late) {
				t.Fatalf("fact %d comes after %d others", e.AtMS, late)
			}
			late++
		}
	}
	if late != facts {
		t.Errorf("%d facts arrived, want %d", late, facts)
	}
	d.wantSpool(t)
}
