package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"
)

// options are the flags of the command.
type options struct {
	ocrRun string
	quick  bool
	only   []string
	md     string
	json   bool
	crowd  int
}

// measurement is one section of the report. A table comes back with an error
// too when part of it could be measured.
type measurement struct {
	name string
	run  func(context.Context, *lab) ([]table, error)
}

// measurements lists the sections in the order they run: the quiet ones first,
// those with thousands of processes last.
func measurements() []measurement {
	return []measurement{
		{"start", startUp},
		{"keys", keys},
		{"interrupt", interrupt},
		{"copy", copies},
		{"redirect", redirected},
		{"idle", idle},
		{"reaper", reaping},
		{"crowd", crowd},
	}
}

func main() {
	if len(os.Args) > 2 && os.Args[1] == floodVerb {
		os.Exit(flood(os.Args[2]))
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	err := bench(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	if errors.Is(err, flag.ErrHelp) {
		os.Exit(2)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// parse reads the command line.
func parse(args []string, stderr io.Writer) (options, error) {
	var o options
	var only string
	flags := flag.NewFlagSet("bench", flag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.StringVar(&o.ocrRun, "ocr-run", "", "path of the ocr-run binary to measure; without it only the peers are")
	flags.BoolVar(&o.quick, "quick", false, "fewer rounds, smaller volumes: checks that everything works")
	flags.StringVar(&only, "only", "", "measure only these, comma-separated: "+strings.Join(names(), ", "))
	flags.StringVar(&o.md, "md", "", "write the report into this Markdown file as well")
	flags.BoolVar(&o.json, "json", false, "print one JSON object instead of tables")
	flags.IntVar(&o.crowd, "crowd", 0, "how many wrappers beat into one ledger (default 1000, quick 100)")
	if err := flags.Parse(args); err != nil {
		return o, err
	}
	if only != "" {
		o.only = strings.Split(only, ",")
	}
	for _, name := range o.only {
		if !slices.Contains(names(), name) {
			return o, fmt.Errorf("unknown measurement %q: know %s", name, strings.Join(names(), ", "))
		}
	}
	if o.crowd == 0 {
		o.crowd = pick(o.quick, 100, 1000)
	}
	return o, nil
}

// bench prepares the peers, runs what was asked for and prints it.
func bench(ctx context.Context, args []string, stdout, stderr io.Writer) (err error) {
	o, err := parse(args, stderr)
	if err != nil {
		return err
	}
	l, err := newLab(ctx, o, stderr)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, l.close()) }()

	r := report{Machine: describeMachine(l.dir), Notes: l.notes}
	for _, m := range measurements() {
		if len(o.only) > 0 && !slices.Contains(o.only, m.name) {
			continue
		}
		tables, err := l.section(ctx, m)
		r.Tables = append(r.Tables, tables...)
		if err != nil {
			return fmt.Errorf("measure %s: %w", m.name, err)
		}
	}
	if o.md != "" {
		if err := r.writeMarkdown(o.md); err != nil {
			return err
		}
	}
	if o.json {
		encoder := json.NewEncoder(stdout)
		encoder.SetIndent("", "  ")
		return encoder.Encode(r)
	}
	return r.writeText(stdout)
}

// names lists the measurements for messages.
func names() []string {
	var all []string
	for _, m := range measurements() {
		all = append(all, m.name)
	}
	return all
}

// pick returns quick or full, depending on what was asked for.
func pick[T any](isQuick bool, quick, full T) T {
	if isQuick {
		return quick
	}
	return full
}
