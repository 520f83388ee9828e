package main

import (
	"context"
	"errors"
	"fmt"

	"golang.org/x/sys/unix"

	"github.com/ocr-run/ocr-run/heartbeat"
	"github.com/ocr-run/ocr-run/reaper/proc"
	"github.com/ocr-run/ocr-run/store"
)

// drillReuse: a pid that has gone to another process is that other's.
func drillReuse(ctx context.Context, b *bed) (string, error) {
	p, err := b.start(ctx, ownGroup(), "/bin/sh", "-c", escapee, "sh", b.pid("bystander"))
	if err != nil {
		return "", err
	}
	bystander, err := b.process(ctx, "bystander")
	if err != nil {
		return "", err
	}
	const uid = "00000000-0000-7000-8000-00000000d111"
	if err := b.recordStale(ctx, uid, bystander); err != nil {
		return "", err
	}
	var swept, cancelled struct{}
	err = errors.Join(b.verb(ctx, &swept, "reap", "--yes", "--json"), b.verb(ctx, &cancelled, "cancel", uid, "--json"))
	if err != nil {
		return "", err
	}
	if !proc.Alive(bystander.PID, bystander.Start) {
		return "", fmt.Errorf("process %d was stopped for one of an earlier life of its pid", bystander.PID)
	}
	if _, err := b.oneEnded(ctx); err != nil {
		return "", err
	}
	err = proc.Signal(bystander.PID, bystander.Start, unix.SIGKILL)
	p.wait()
	return fmt.Sprintf("a run that ended unseen had pid %d, which is another's now: neither reap nor cancel touched it", bystander.PID), err
}

// recordStale writes down a run that is said to go on, all of whose processes had the
// pid of a process, and started before it.
func (b *bed) recordStale(ctx context.Context, uid string, p proc.Process) (err error) {
	l, err := store.Open(ctx, store.Config{Path: b.ledger()})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, l.Close()) }()
	at := b.observer()
	earlier := store.Identity{
		MachineID: at.MachineID, BootID: at.Now.BootID, PIDNamespace: proc.PIDNamespace(), PID: p.PID, StartTicks: p.Start - 1,
	}
	generation, err := l.Announce(ctx, store.Announcement{
		UID: uid, Lineage: uid + "//" + uid, Command: []string{"drill"}, CWD: b.path(workDir), Workspace: b.path(workDir), Wrapper: earlier,
		At: at.Now, BeatMS: heartbeat.DefaultInterval.Milliseconds(),
	})
	if err != nil {
		return err
	}
	launch := store.Launch{UID: uid, Child: earlier, Monitor: earlier, PGID: p.PGID, SID: p.SID, At: at.Now}
	if err := l.Launched(ctx, launch); err != nil {
		return err
	}
	_, err = l.Beat(ctx, store.Beat{
		UID: uid, Generation: generation, At: at.Now, Descendants: []store.Descendant{{PID: p.PID, StartTicks: p.Start - 1, Name: p.Name}},
	})
	return err
}
