package main

import (
	"context"
	"errors"
	"time"

	"github.com/google/uuid"

	"github.com/ocr-run/ocr-run/store"
	"github.com/ocr-run/ocr-run/store/ocrdb"
)

const (
	// hostRest is how long after its end a run's row in a host's database is left
	// alone: its wrapper writes that end itself, and a program of the host that was
	// just saving its copy of the file has done so by then.
	hostRest = time.Minute
	// hostRecent is how far back ends are brought to a host that could not be
	// reached before: what it was about is over then.
	hostRecent = 7 * 24 * time.Hour
)

// settleHosts sees to it that the rows we wrote in hosts' databases have the ends
// their runs had: those of wrappers that died, and those that were lost when the
// file was replaced. A host that is gone wants nothing.
func (e environment) settleHosts(ctx context.Context, l *store.Ledger) error {
	now := e.clock.Now().Wall
	rows, err := l.HostUnsettled(ctx, now.Add(-hostRecent).UnixMilli(), now.Add(-hostRest).UnixMilli())
	if err != nil {
		return err
	}
	var failures []error
	for _, row := range rows {
		if err := settleInHost(ctx, row); err != nil {
			failures = append(failures, err)
			continue
		}
		failures = append(failures, l.SettleHost(ctx, row.UID))
	}
	return errors.Join(failures...)
}

// settleInHost writes the end of a run into its row in the host's database. A row
// that another program made, or that cannot be written at all, is as it should
// be; and so is the lack of one that was the dashboard's.
func settleInHost(ctx context.Context, e store.Execution) error {
	host, ok, err := findHost(e.Host)
	if err != nil || !ok || host.Root != e.Host || !ourUID(e.UID) {
		return err
	}
	announced := ocrdb.Announcement{
		UID: e.UID, Command: e.Command, Vendor: vendorName(e.Agent), Name: e.Name, StartedMS: e.At.WallMS,
	}
	_, err = host.Row(announced).Finish(ctx, hostEnding(e, verdictOf(e).Cause))
	for _, theirs := range []error{ocrdb.ErrForeign, ocrdb.ErrTooNew, ocrdb.ErrTooOld} {
		if errors.Is(err, theirs) {
			return nil
		}
	}
	return err
}

// ourUID says whether we made a uid, and not the host's dashboard: it makes no
// such ones.
func ourUID(uid string) bool {
	id, err := uuid.Parse(uid)
	return err == nil && id.Version() == 7
}
