package supervisor

import (
	"context"
	"fmt"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"github.com/ocr-run/ocr-run/heartbeat"
	"github.com/ocr-run/ocr-run/lifecycle"
	"github.com/ocr-run/ocr-run/supervisor/internal/terminal"
)

// raise hands a concern over to Run, from any goroutine.
func (r *run) raise(c concern) {
	select {
	case r.concerns <- c:
	case <-r.over:
	}
}

// concerned writes down what a look found, says so, and ends the run where that was
// asked for.
func (r *run) concerned(ctx context.Context, c concern) {
	if c.dead != "" {
		r.tell(ctx, lifecycle.EventConnectionDead, map[string]any{"peer": c.dead, "for_ms": c.lasted.Milliseconds()})
	}
	if len(c.healed) > 0 {
		r.tell(ctx, lifecycle.EventConnectionHealed, map[string]any{"peers": c.healed})
		r.note(lifecycle.SourceOwnAct, "connections that died in a sleep were shut down: "+strings.Join(c.healed, ", "), "")
	}
	if c.asleep != nil {
		r.warn("--awake: " + c.asleep.Error())
	}
	if c.alarm == heartbeat.AlarmNone {
		return
	}
	kind := r.alarmed(c.alarm)
	r.tell(ctx, kind.word, map[string]int64{"for_ms": c.lasted.Milliseconds()})
	detail := kind.detail(c.lasted)
	r.note(lifecycle.SourceOwnAct, detail, "")
	switch {
	case kind.stop && !r.stopping():
		r.beginStop(kind.by, unix.SIGTERM)
		r.warn(detail + "; it is stopped (" + kind.flag + ")")
	default:
		r.warn(detail)
	}
}

// alarmKind is what an alarm means for a run.
type alarmKind struct {
	word   lifecycle.EventType
	by     lifecycle.StoppedBy
	flag   string
	stop   bool
	detail func(time.Duration) string
}

// alarmed is the table of the alarms.
func (r *run) alarmed(a heartbeat.Alarm) alarmKind {
	w := r.cfg.Watch
	switch a {
	case heartbeat.AlarmIdle:
		return alarmKind{lifecycle.EventIdle, lifecycle.StoppedByIdle, "--stop-idle", w.StopIdle, func(d time.Duration) string {
			return "no turn is open, and nothing has gone on for " + rounded(d)
		}}
	case heartbeat.AlarmStalled:
		return alarmKind{lifecycle.EventStalled, lifecycle.StoppedByStalled, "--stop-stalled", w.StopStalled, func(d time.Duration) string {
			return "nothing has moved on for " + rounded(d) + ", and the work is not done"
		}}
	case heartbeat.AlarmRunaway, heartbeat.AlarmNone:
	}
	return alarmKind{lifecycle.EventRunaway, lifecycle.StoppedByRunaway, "--stop-runaway", w.StopRunaway, func(d time.Duration) string {
		if d == 0 {
			return "the agent repeats model calls without end"
		}
		return "the agent has kept the processor busy for " + rounded(d) + " with nothing to show for it"
	}}
}

// rounded is a length of time for people.
func rounded(d time.Duration) string { return d.Round(time.Second).String() }

// warn says one line to the user, unless somebody else draws on their terminal: the
// line then stands in the receipt alone.
func (r *run) warn(line string) {
	if r.cfg.Watch.Warn == nil || !terminal.IsControlling(int(r.cfg.Stderr.Fd())) {
		return
	}
	fd := int(r.cfg.Stderr.Fd())
	if r.pair != nil {
		fd = r.pair.Master
	}
	if !r.suspended && terminal.EditsLines(fd) {
		r.say(line)
	}
}

// say has a line written by a goroutine that nothing waits for: a terminal that was
// halted takes no byte until its user lets it go on. One more line may wait for that.
func (r *run) say(line string) {
	if r.warnings == nil {
		r.warnings, r.speaking = make(chan string, 1), make(chan struct{}, 1)
		go r.speak()
	}
	select {
	case r.warnings <- line:
	default:
		r.cfg.Log.Debug().Str("line", line).Msg("drop warning")
	}
}

// speak writes the warnings, each while it has the word.
func (r *run) speak() {
	for {
		select {
		case line := <-r.warnings:
			select {
			case r.speaking <- struct{}{}:
				r.cfg.Watch.Warn(line)
				<-r.speaking
			case <-r.over:
				return
			}
		case <-r.over:
			return
		}
	}
}

// spokenWait is how long the end of a run waits for a warning that is being written.
const spokenWait = 200 * time.Millisecond

// hush has no further warning written. It is false when one cannot be: the terminal
// takes no bytes.
func (r *run) hush() bool {
	if r.speaking == nil {
		return true
	}
	t := time.NewTimer(spokenWait)
	defer t.Stop()
	select {
	case r.speaking <- struct{}{}:
		return true
	case <-t.C:
		return false
	}
}

// noteDead keeps a connection that died shortly before the end as evidence, unless
// the run got over it.
func (r *run) noteDead() {
	d := r.watch.conns.died
	if d.name == "" || r.exitAt.Awake-d.at.Awake > r.patience() || r.watch.recovered(d.at.Awake, r.exitAt.Awake) {
		return
	}
	ago := max(r.exitAt.Awake-d.at.Awake, 0)
	r.note(lifecycle.SourceKernel, fmt.Sprintf("the connection to %s no longer answered %s before the end", d.name, rounded(ago)),
		lifecycle.CauseDisconnect)
}
