package main

import (
	"context"
	"errors"
	"os"
	"os/signal"
	"time"

	"golang.org/x/sys/unix"

	"github.com/ocr-run/ocr-run/cmd/ocr-run/internal/render"
	"github.com/ocr-run/ocr-run/heartbeat/clock"
	"github.com/ocr-run/ocr-run/lifecycle"
	"github.com/ocr-run/ocr-run/store"
)

// followInterval is how often a follower asks for news. A person calls a
// quarter of a second at once, and the question is one small read.
const followInterval = 250 * time.Millisecond

// eventBatch bounds the memory of a long history: so many lines are read at a
// time.
const eventBatch = 1000

// followFirst is how much of the history a follower prints before what comes,
// as tail(1) does: enough to see where things stand.
const followFirst = 10

// eventsVerb prints the history, line by line.
func eventsVerb() verb {
	return verb{
		name:     "events",
		operands: "[UID]",
		brief:    "print the history as it happened, or as it happens",
		about: `Prints what happened to all runs and workflows, oldest first; of one run when UID
is given. With --follow it prints the last 10 and goes on as things happen, until
interrupted or until nobody reads any more; --since and --from-start print more of
the past first. With --json each event is one object on a line.`,
		most: 1,
		flags: []flagSpec{
			{name: "follow", short: "f", usage: "print the last 10, then go on as things happen"},
			{name: "from-start", usage: "with --follow: print the whole history first"},
			{name: "since", value: "WHEN", usage: "only events since then: 2h, 2d or an RFC 3339 time"},
			jsonSpec(),
		},
		exits:    readingExits(),
		examples: []string{"ocr-run events --since 2h", "ocr-run events 1f0c9a2e", "ocr-run events --follow --json | jq -c --unbuffered 'select(.outcome)'"},
		run:      runEvents,
	}
}

// follower prints events it has not printed yet.
type follower struct {
	call
	ledger *store.Ledger
	filter store.EventFilter
	since  int64
	// first is how many events of the past to begin with; 0 for all of them.
	first int
	json  bool
	style render.Style
	// seen is the last number of the ledger that has been looked at, printed
	// or not.
	seen int64
}

// runEvents prints the history and follows it when asked to.
func runEvents(ctx context.Context, c call) error {
	since, err := c.sinceFlag()
	if err != nil {
		return err
	}
	if since != 0 && c.flags.Bool("from-start") {
		return c.usage("--from-start and --since exclude each other")
	}
	f := &follower{
		call: c, filter: store.EventFilter{Limit: eventBatch},
		since: since, json: c.flags.Bool("json"), style: c.style(),
	}
	if !c.flags.Bool("follow") {
		found, err := c.reading(ctx, func(l *store.Ledger) error { return f.print(ctx, l) })
		if err == nil && !found {
			return c.noEvents()
		}
		return err
	}
	// An interrupt is how a follower is told to end, not a failure.
	ctx, stop := signal.NotifyContext(ctx, os.Interrupt, unix.SIGTERM)
	defer stop()
	if since == 0 && !c.flags.Bool("from-start") {
		f.first = followFirst
	}
	if err := f.follow(ctx); ctx.Err() == nil {
		return err
	}
	return nil
}

// noEvents is the answer where nothing has been recorded.
func (c call) noEvents() error {
	if len(c.words) > 0 {
		return c.unknownRun(c.words[0])
	}
	c.hintNoLedger()
	return nil
}

// print prints what there is.
func (f *follower) print(ctx context.Context, l *store.Ledger) error {
	f.ledger = l
	if len(f.words) > 0 {
		uid, err := f.resolveUID(ctx, l, f.words[0])
		if err != nil {
			return err
		}
		f.filter.UID = uid
	}
	if err := f.skip(ctx); err != nil {
		return err
	}
	return f.drain(ctx)
}

// skip passes over all of the past but what is to be printed of it, once: of a
// ledger that comes later everything is news.
func (f *follower) skip(ctx context.Context) error {
	if f.first == 0 {
		return nil
	}
	last, err := f.ledger.Events(ctx, store.EventFilter{UID: f.filter.UID, Limit: f.first, Newest: true})
	if err != nil {
		return f.failed(err)
	}
	if len(last) > 0 {
		f.filter.AfterSeq = last[0].Seq - 1
	}
	f.first = 0
	return nil
}

// follow prints what there is and then what comes, until ctx ends or nobody
// reads any more. A ledger that does not exist yet is waited for, unless a run
// of it was asked for, and so is one that somebody keeps locked.
func (f *follower) follow(ctx context.Context) error {
	for {
		found, err := f.reading(ctx, func(l *store.Ledger) error {
			if err := f.print(ctx, l); err != nil {
				return err
			}
			return f.followOpen(ctx)
		})
		switch {
		case errors.Is(err, store.ErrBusy):
		case err != nil:
			return err
		case !found && len(f.words) > 0:
			return f.unknownRun(f.words[0])
		default:
			f.first = 0
		}
		if err := f.pause(ctx); err != nil {
			return err
		}
	}
}

// followOpen prints what comes. It returns nil when somebody has put another
// file in the ledger's place: its numbers start anew.
func (f *follower) followOpen(ctx context.Context) error {
	for {
		if err := f.pause(ctx); err != nil {
			return err
		}
		if replaced, err := f.ledger.Replaced(); err == nil && replaced {
			f.filter.AfterSeq, f.seen = 0, 0
			return nil
		}
		// Asking for the last number is cheaper than asking for events, and
		// most questions are answered no.
		last, err := f.ledger.LastSeq(ctx)
		if err != nil {
			return f.failed(err)
		}
		if last == f.seen {
			continue
		}
		f.seen = last
		if err := f.drain(ctx); err != nil {
			return err
		}
	}
}

// drain prints everything that has not been printed.
func (f *follower) drain(ctx context.Context) error {
	for {
		batch, err := f.ledger.Events(ctx, f.filter)
		if err != nil {
			return f.failed(err)
		}
		for _, e := range batch {
			f.filter.AfterSeq = e.Seq
			if e.AtMS < f.since {
				continue
			}
			if err := f.printEvent(ctx, e); err != nil {
				return err
			}
		}
		if len(batch) < eventBatch {
			return nil
		}
	}
}

// printEvent prints one event; one that ends a run with its outcome.
func (f *follower) printEvent(ctx context.Context, e store.Event) error {
	var v lifecycle.Verdict
	if endsRun(e.Type) {
		row, err := f.ledger.Execution(ctx, e.UID)
		if err != nil {
			return f.failed(err)
		}
		rows := []store.Execution{row}
		f.joinHosts(ctx, rows)
		v = verdictOf(rows[0])
	}
	view := eventView(e, v)
	if !f.json {
		return f.printText(render.EventText(f.style, view))
	}
	b, err := render.EventJSON(view)
	if err != nil {
		return err
	}
	return f.call.print(b)
}

// endsRun says whether an event tells how a run ended.
func endsRun(t lifecycle.EventType) bool {
	return t == lifecycle.EventEnded || t == lifecycle.EventNotStarted ||
		t == lifecycle.EventLost || t == lifecycle.EventLateTruth
}

// pause lets a moment pass. Its error is the end of ctx, or that nobody reads
// the output any more.
func (f *follower) pause(ctx context.Context) error {
	if err := clock.Wait(ctx, followInterval); err != nil {
		return err
	}
	if outputGone(f.stdout) {
		return unix.EPIPE
	}
	return nil
}

// outputGone says whether the reader of a pipe has left. Without asking, a
// follower of a quiet ledger would outlive its reader until the next event.
func outputGone(out *os.File) bool {
	fds := []unix.PollFd{{Fd: int32(out.Fd())}}
	n, err := unix.Poll(fds, 0)
	return err == nil && n > 0 && fds[0].Revents&(unix.POLLERR|unix.POLLHUP|unix.POLLNVAL) != 0
}
