package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/ocr-run/ocr-run/lifecycle"
	"github.com/ocr-run/ocr-run/store"
	"github.com/ocr-run/ocr-run/store/ocrdb"
	"github.com/ocr-run/ocr-run/store/ocrdb/ocrdbtest"
)

// fixturesEnv names the directory of databases of the product.
const fixturesEnv = "HOST_FIXTURES"

// hostMain plays Open Code Review in the project at $WORK:
//
//	host new ERA [DIR]      give it a database
//	host do SQL             change something in it
//	host rows SQL           print what a query gives
//	host link ID            link the run this is called in to a session
//	host sound              fail unless the database is intact
//	host hold write|all CMD while CMD runs, for eight seconds at most, keep others out
//	host forget CMD         run CMD, and then save the database as it was before
//	host ocr state VERB …   one of its state verbs
//	host seed               fill the ledger with runs that ended here an hour ago
//	host unsettled          count the runs whose rows are to be settled
func hostMain() {
	ctx, p := context.Background(), ocrdbtest.In(os.Getenv("WORK"))
	var err error
	switch words := os.Args[2:]; os.Args[1] {
	case "new":
		if len(words) > 1 {
			p = ocrdbtest.In(words[1])
		}
		err = p.Install(filepath.Join(os.Getenv(fixturesEnv), words[0]+".db"))
	case "do":
		err = p.Exec(ctx, words[0])
	case "rows":
		var lines []string
		lines, err = p.Rows(ctx, words[0])
		fmt.Println(strings.Join(lines, "\n"))
	case "link":
		err = link(ctx, p, words[0])
	case "sound":
		err = p.Sound(ctx)
	case "hold":
		err = whileHeld(ctx, p, words[0] == "all", words[1:])
	case "forget":
		var content []byte
		if content, err = os.ReadFile(p.Path); err == nil {
			err = errors.Join(runThrough(ctx, words), p.Replace(content))
		}
	case "ocr":
		err = ocrState(ctx, p, words)
	case "seed":
		err = onLedger(ctx, seedHosted)
	case "unsettled":
		err = onLedger(ctx, func(ctx context.Context, c call, l *store.Ledger) error {
			rows, err := l.HostUnsettled(ctx, 0, c.now().WallMS-hostRest.Milliseconds())
			fmt.Println(len(rows))
			return err
		})
	}
	if err != nil {
		fail("host %q: %v", os.Args[1:], err)
	}
}

// link waits for the row of the run: on a slow machine it may come after the launch.
func link(ctx context.Context, p ocrdbtest.Product, id string) error {
	for deadline := time.Now().Add(20 * time.Second); time.Now().Before(deadline); {
		if linked, err := p.Link(ctx, id, os.Getenv(envDashboardUID)); linked || err != nil {
			return err
		}
	}
	return errors.New("the run has no row")
}

// whileHeld runs a command while others are kept from the database.
func whileHeld(ctx context.Context, p ocrdbtest.Product, all bool, command []string) error {
	ctx, cancel := context.WithTimeout(ctx, 8*time.Second)
	defer cancel()
	release, err := p.Hold(ctx, all)
	if err != nil {
		return err
	}
	return errors.Join(runThrough(ctx, command), release())
}

// runThrough runs a command on our own descriptors.
func runThrough(ctx context.Context, command []string) error {
	cmd := exec.CommandContext(ctx, command[0], command[1:]...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	return cmd.Run()
}

// seedAdopted is a uid as the product's dashboard makes them.
const seedAdopted = "0d9c1f6a-8f6e-4a51-9d0e-5b6f1f4c0007"

// onLedger runs do on the ledger.
func onLedger(ctx context.Context, do func(context.Context, call, *store.Ledger) error) error {
	c := call{environment: processEnvironment(), verb: "seed"}
	l, err := c.openLedger(ctx)
	if err != nil {
		return err
	}
	return errors.Join(do(ctx, c, l), l.Close())
}

// seedHosted writes into the ledger: a run whose wrapper died and left its row in the
// product's database open, one whose row was lost there, and one that the dashboard
// had the row of.
func seedHosted(ctx context.Context, c call, l *store.Ledger) error {
	host, ok, err := ocrdb.Find(c.dir)
	if err != nil || !ok {
		return fmt.Errorf("find host: %v, %w", ok, err)
	}
	at := c.now()
	at.WallMS -= time.Hour.Milliseconds()
	for _, e := range []store.Ending{
		{UID: seedFailed, End: lifecycle.EndLost},
		{UID: seedDone, End: lifecycle.EndExited, ExitCode: new(0)},
		{UID: seedAdopted, End: lifecycle.EndExited, ExitCode: new(0)},
	} {
		if err := seedEnded(ctx, c, l, e, at, host.Root); err != nil {
			return err
		}
	}
	return host.Row(ocrdb.Announcement{UID: seedFailed, Command: []string{"agent", "do it"}, StartedMS: at.WallMS}).Announce(ctx, at.WallMS)
}

// ocrState is the product's own command.
func ocrState(ctx context.Context, p ocrdbtest.Product, words []string) error {
	if len(words) < 2 || words[0] != "state" {
		return fmt.Errorf("unknown command %q", words)
	}
	flags := map[string]string{}
	for i := 2; i+1 < len(words); i += 2 {
		flags[strings.TrimPrefix(words[i], "--")] = words[i+1]
	}
	uid := flags["dashboard-uid"]
	if uid == "" {
		uid = os.Getenv(envDashboardUID)
	}
	err := p.State(ctx, words[1], flags, uid)
	if errors.Is(err, ocrdbtest.ErrIncomplete) {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(exitInvariant)
	}
	return err
}
