//go:build linux

package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"
)

// options are the flags of the command.
type options struct {
	ocrRun           string
	runs, bystanders int
	linger           int
	seed             uint64
	only             []string
	// recycle has the next pids of the whole machine be those that the ledger knows.
	recycle bool
}

func main() {
	if len(os.Args) == 3 && os.Args[1] == tracerRole {
		trace(os.Args[2])
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	err := drill(ctx, os.Args[1:], os.Stdout)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "drill:", err)
		os.Exit(1)
	}
}

// parse reads the command line.
func parse(args []string) (options, error) {
	var o options
	var only string
	flags := flag.NewFlagSet("drill", flag.ContinueOnError)
	flags.StringVar(&o.ocrRun, "ocr-run", "", "path of the ocr-run binary to put to the test")
	flags.IntVar(&o.runs, "runs", 200, "how many runs")
	flags.IntVar(&o.bystanders, "bystanders", 2000, "how many processes that must not be touched")
	flags.IntVar(&o.linger, "linger", 1500, "how long a run lives at most, in ms; three times as long if nobody is left to tidy up")
	flags.Uint64Var(&o.seed, "seed", 0, "what all choices come from; 0 chooses one")
	flags.BoolVar(&o.recycle, "recycle", false, "as root, give the last bystanders pids that the ledger remembers, by setting which pid is the machine's next")
	flags.StringVar(&only, "scenario", "", "only these, comma-separated; all but rash without")
	if err := flags.Parse(args); err != nil {
		return o, err
	}
	if o.ocrRun == "" {
		return o, errors.New("-ocr-run is required")
	}
	var err error
	if o.ocrRun, err = filepath.Abs(o.ocrRun); err != nil {
		return o, err
	}
	if o.seed == 0 {
		o.seed = uint64(time.Now().UnixNano())
	}
	if only != "" {
		o.only = strings.Split(only, ",")
	}
	return o, nil
}

// drill goes through the scenarios. The error says how many of them failed.
func drill(ctx context.Context, args []string, out io.Writer) error {
	o, err := parse(args)
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "seed %d\n", o.seed)
	failed := 0
	for _, s := range scenarios(o) {
		wanted := len(o.only) == 0 && !s.rash || slices.Contains(o.only, s.name)
		switch {
		case !wanted:
		case s.unprivileged && os.Getuid() != 0:
			fmt.Fprintf(out, "%s: skipped: only root can become somebody else\n", s.name)
		default:
			r, err := play(ctx, o, s)
			if err != nil {
				return fmt.Errorf("%s: %w", s.name, err)
			}
			if r.print(out, s); len(r.faults) > 0 {
				failed++
			}
		}
	}
	if failed > 0 {
		return fmt.Errorf("%d scenarios failed", failed)
	}
	return nil
}
