package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"slices"
	"sync"
	"syscall"

	"golang.org/x/sys/unix"
)

// heeding does what may stop processes, and holds some of them halted meanwhile: no
// signal may end it in the middle. INT, TERM and HUP end its context instead, those
// apart that are ignored; what is being stopped is then killed at once, within a
// bound. owed is the exit code that such a signal stands for, nil without one.
func heeding(ctx context.Context, do func(context.Context)) (owed error) {
	heard := slices.DeleteFunc([]os.Signal{unix.SIGINT, unix.SIGTERM, unix.SIGHUP}, signal.Ignored)
	if len(heard) == 0 {
		do(ctx)
		return nil
	}
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, heard...)
	ctx, end := context.WithCancelCause(ctx)
	defer end(nil)
	done := make(chan struct{})
	var listener sync.WaitGroup
	listener.Go(func() {
		select {
		case sig := <-signals:
			owed = owedTo(sig)
			end(fmt.Errorf("cut short: %s", sig))
		case <-done:
		}
	})
	do(ctx)
	signal.Stop(signals)
	close(done)
	listener.Wait()
	select {
	case sig := <-signals: // it came with the end
		owed = owedTo(sig)
	default:
	}
	return owed
}

// owedTo is the exit code that a signal stands for, as a shell gives it.
func owedTo(sig os.Signal) error {
	n, _ := sig.(syscall.Signal) // there is no other kind here
	return answered(exitSignal + int(n))
}
