package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"syscall"
	"time"
)

const (
	// crowdBeat is how often each wrapper of the crowd beats.
	crowdBeat = 5 * time.Second
	// crowdSlack is how much older than one interval the last beat may be
	// before it counts as missed: the reader takes its time, too.
	crowdSlack = time.Second
	// crowdPace is the time between two starts. A crowd that starts at once
	// would measure process creation.
	crowdPace = 20 * time.Millisecond
	// crowdMemoryMB is what one wrapped sleep may take before a crowd of them
	// is not started.
	crowdMemoryMB = 12
)

// crowd measures many wrappers that beat into one ledger, and what a run that
// starts among them notices of it.
func crowd(ctx context.Context, l *lab) ([]table, error) {
	t := table{
		Name: "crowd", Title: fmt.Sprintf("%d wrappers beating every %v into one ledger", l.crowd, crowdBeat),
		Columns: []string{"median", "p99", "max"},
	}
	need, have := float64(l.crowd*crowdMemoryMB), availableMB()
	switch {
	case l.ocrRun == "":
		return nil, nil
	case have < need:
		t.Notes = append(t.Notes, fmt.Sprintf("not measured: it may need %.0f MB of memory and %.0f MB are available", need, have))
		return []table{t}, nil
	}
	c := &gathering{lab: l, dir: filepath.Join(l.dir, "crowd")}
	if err := os.Mkdir(c.dir, 0o700); err != nil {
		return nil, err
	}
	defer c.disperse()
	err := c.measure(ctx, &t)
	return []table{t}, err
}

// gathering is the crowd while it stands.
type gathering struct {
	*lab

	dir string // one stderr and one debug log for each wrapper
	all []*exec.Cmd
}

// measure starts the crowd, watches it, sends it home, and fills the table.
func (c *gathering) measure(ctx context.Context, t *table) error {
	alone, err := c.newcomer(ctx)
	if err != nil {
		return err
	}
	if err := c.gather(ctx); err != nil {
		return err
	}
	// Two intervals: everyone is recorded and in step.
	if err := wait(ctx, 2*crowdBeat); err != nil {
		return err
	}
	steady := time.UnixMilli(wallMS())
	before, _ := cpuTimes()
	watched, err := c.watch(ctx, pick(c.quick, 3, 8))
	if err != nil {
		return err
	}
	after, _ := cpuTimes()
	among, err := c.newcomer(ctx)
	if err != nil {
		return err
	}
	began, leaving := monotonic(), time.UnixMilli(wallMS())
	otherwise, survivors := c.disperse()
	stopped := millisSince(began) / 1000
	beats, hurried, unreadable := c.beats(steady, leaving)

	t.Rows = []row{
		spread("write of a beat, ms", beats),
		spread("write of a beat while the crowd gathers, ms", hurried),
		spread("age of the last beat, ms", watched.ages),
		spread("/bin/true bare, alone, ms", alone[bareName][0]),
		spread("/bin/true bare, in the crowd, ms", among[bareName][0]),
		spread("/bin/true wrapped, alone, ms", alone[ocrName][0]),
		spread("/bin/true wrapped, in the crowd, ms", among[ocrName][0]),
		spread("ps --json, ms", watched.reads),
	}
	t.Gates = []gate{
		atMost("crowd: errors", number(watched.wrong+otherwise+c.complaints()), 0),
		atMost("crowd: beats missed", number(watched.missed), 0),
		atMost("crowd: p99 of a beat's write, ms", percentile(beats, 99), 5),
		atMost("crowd: processes that survived", number(survivors), 0),
		atMost("crowd: start among it, of alone", (among.median(ocrName, 0)-among.median(bareName, 0))/(alone.median(ocrName, 0)-alone.median(bareName, 0)), 1.5),
	}
	t.Notes = append(t.Notes, watched.notes...)
	t.Notes = append(t.Notes, fmt.Sprintf("the machine was %.0f %% idle while the crowd stood; ending all of it took %.1f s", 100*after.idleSince(before), stopped))
	if len(beats) == 0 {
		t.Notes = append(t.Notes, fmt.Sprintf("no beat's duration was found in the debug logs (%d unreadable): only missed beats are known", unreadable))
	} else {
		t.Notes = append(t.Notes, fmt.Sprintf("%d beats in the debug logs", len(beats)))
	}
	return nil
}

// spread is a row of median, 99th percentile and maximum.
func spread(what string, samples []float64) row {
	return row{what, []number{percentile(samples, 50), percentile(samples, 99), percentile(samples, 100)}}
}

// newcomer times /bin/true, bare and wrapped, into the crowd's ledger.
func (c *gathering) newcomer(ctx context.Context) (results, error) {
	truth, err := exec.LookPath("true")
	if err != nil {
		return nil, fmt.Errorf("find true: %w", err)
	}
	peers := append(c.only(bareName), c.ocr("--heartbeat", crowdBeat.String())...)
	r, notes, err := c.rounds(ctx, pick(c.quick, 20, 60), peers, func(ctx context.Context, p peer) ([]float64, error) {
		return c.timeDetached(ctx, p, truth)
	})
	if err == nil && r[ocrName] == nil {
		err = fmt.Errorf("no wrapped run succeeded: %v", notes)
	}
	return r, err
}

// gather starts the crowd, one at a time.
func (c *gathering) gather(ctx context.Context) error {
	for i := range c.crowd {
		base := filepath.Join(c.dir, fmt.Sprint(i))
		stderr, err := os.Create(base + ".err")
		if err != nil {
			return err
		}
		p := c.ocr("--heartbeat", crowdBeat.String(), "--debug", base+".log")[0]
		// Not bound to the context: the crowd is ended as a whole, in disperse.
		cmd := c.command(context.Background(), p.wrap([]string{sleeper, "86399"}))
		cmd.Stderr = stderr
		cmd.SysProcAttr = ownSession()
		err = cmd.Start()
		stderr.Close()
		if err != nil {
			return fmt.Errorf("start wrapper %d: %w", i, err)
		}
		c.all = append(c.all, cmd)
		if err := wait(ctx, crowdPace); err != nil {
			return err
		}
	}
	return nil
}

// watched is what looking at the ledger showed, over all looks.
type watched struct {
	ages, reads []float64
	// wrong counts rows that should be there, live and recorded, and are not;
	// missed counts last beats that were too old.
	wrong, missed int
	notes         []string
}

// watch reads the ledger the way a person would, once an interval.
func (c *gathering) watch(ctx context.Context, looks int) (watched, error) {
	var w watched
	for range looks {
		if err := wait(ctx, crowdBeat); err != nil {
			return w, err
		}
		cmd := c.command(ctx, []string{c.ocrRun, "ps", "--json"})
		began := monotonic()
		out, err := cmd.Output()
		if err != nil {
			return w, fmt.Errorf("run %s ps --json: %w", c.ocrRun, err)
		}
		w.reads = append(w.reads, millisSince(began))
		if err := w.judge(out, c.crowd, wallMS()); err != nil {
			return w, err
		}
	}
	return w, nil
}

// judge takes in one listing.
func (w *watched) judge(listing []byte, crowd int, nowMS int64) error {
	var list struct {
		Executions []struct {
			UID           string     `json:"uid"`
			Liveness      string     `json:"liveness"`
			Recording     string     `json:"recording"`
			LastHeartbeat *time.Time `json:"last_heartbeat_at"`
		} `json:"executions"`
	}
	if err := json.Unmarshal(listing, &list); err != nil {
		return fmt.Errorf("read ps --json: %w", err)
	}
	if n := len(list.Executions); n != crowd {
		w.wrong += max(crowd-n, n-crowd)
		w.notes = append(w.notes, fmt.Sprintf("%d executions listed, not %d", n, crowd))
	}
	for _, e := range list.Executions {
		if e.Liveness != "live" || e.Recording != "ok" || e.LastHeartbeat == nil {
			w.wrong++
			w.notes = append(w.notes, fmt.Sprintf("%s: liveness %s, recording %s, last beat %v", e.UID, e.Liveness, e.Recording, e.LastHeartbeat))
			continue
		}
		age := float64(nowMS - e.LastHeartbeat.UnixMilli())
		w.ages = append(w.ages, age)
		if age > float64((crowdBeat + crowdSlack).Milliseconds()) {
			w.missed++
		}
	}
	slices.Sort(w.notes)
	const enough = 10
	w.notes = slices.Compact(w.notes)
	w.notes = w.notes[:min(len(w.notes), enough)]
	return nil
}

// disperse ends the crowd politely, then for good. It returns how many ended
// otherwise than by that and how many processes were left in the end; it may
// be called again.
func (c *gathering) disperse() (otherwise, survivors int) {
	for _, cmd := range c.all {
		_ = cmd.Process.Signal(syscall.SIGTERM)
	}
	grace := time.AfterFunc(time.Minute, func() { killAll(below(os.Getpid())) })
	defer grace.Stop()
	for _, cmd := range c.all {
		_ = cmd.Wait() // judged by its state
		status, _ := cmd.ProcessState.Sys().(syscall.WaitStatus)
		if status.Signal() != syscall.SIGTERM && status.ExitStatus() != 128+int(syscall.SIGTERM) {
			otherwise++
			c.progress("a wrapper of the crowd ended with %v", cmd.ProcessState)
		}
	}
	c.all = nil
	return otherwise, len(settled())
}

// complaints counts the wrappers that wrote to their stderr.
func (c *gathering) complaints() int {
	paths, _ := filepath.Glob(filepath.Join(c.dir, "*.err"))
	n := 0
	for _, path := range paths {
		text, err := os.ReadFile(path)
		if err != nil || len(bytes.TrimSpace(text)) > 0 {
			n++
			c.progress("a wrapper of the crowd said: %s", lastLine(text))
		}
	}
	return n
}

// beats collects how long beats took from the debug logs: JSON lines whose
// message is "beat", with the milliseconds in "took". Those of the whole crowd at
// rest, between two instants, are told from those that competed with the starts.
func (c *gathering) beats(from, to time.Time) (took, hurried []float64, unreadable int) {
	paths, _ := filepath.Glob(filepath.Join(c.dir, "*.log"))
	for _, path := range paths {
		text, err := os.ReadFile(path)
		if err != nil {
			unreadable++
			continue
		}
		for line := range bytes.Lines(text) {
			var entry struct {
				Message string    `json:"message"`
				Took    *float64  `json:"took"`
				Time    time.Time `json:"time"`
			}
			if json.Unmarshal(line, &entry) != nil {
				unreadable++
				continue
			}
			switch {
			case entry.Message != "beat" || entry.Took == nil || entry.Time.After(to):
			case entry.Time.Before(from):
				hurried = append(hurried, *entry.Took)
			default:
				took = append(took, *entry.Took)
			}
		}
	}
	return took, hurried, unreadable
}
