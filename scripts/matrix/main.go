package main

import (
	"flag"
	"fmt"
	"os"
	"os/signal"
	"regexp"
	"strings"
	"syscall"
)

type options struct {
	wrappers []wrapper
	only     *regexp.Regexp
	json     bool
	markdown string
}

func main() {
	if len(os.Args) > 2 && os.Args[1] == "probe" {
		os.Exit(probe(os.Args[2], os.Args[3:]))
	}
	opts, err := parse(os.Args[1:])
	if err != nil {
		fmt.Fprintln(os.Stderr, "matrix:", err)
		os.Exit(2)
	}
	sealDescriptors()
	catchSignals()
	if err := becomeSubreaper(); err != nil {
		fmt.Fprintln(os.Stderr, "matrix: become subreaper:", err)
	}
	table := runAll(opts)
	if err := table.print(opts); err != nil {
		fmt.Fprintln(os.Stderr, "matrix:", err)
		os.Exit(2)
	}
	if table.failed(judged(opts.wrappers)) {
		os.Exit(1)
	}
}

// catchSignals makes an interrupt kill what runs, and keeps a signal that this program was started to ignore, as the background job of
// a script is, from being ignored by the commands it runs as well: a caught signal is reset for them.
func catchSignals() {
	list := []os.Signal{syscall.SIGHUP, syscall.SIGINT, syscall.SIGQUIT, syscall.SIGTERM}
	ignored := map[os.Signal]bool{}
	for _, sig := range list {
		ignored[sig] = signal.Ignored(sig)
	}
	came := make(chan os.Signal, 1)
	signal.Notify(came, list...)
	go func() {
		for sig := range came {
			if !ignored[sig] {
				_ = (&lab{}).killAll()
				os.Exit(1)
			}
		}
	}()
}

func parse(args []string) (options, error) {
	var opts options
	var only string
	flags := flag.NewFlagSet("matrix", flag.ContinueOnError)
	flags.Func("w", "wrapper to test, `NAME[=PATH]`; repeatable", func(text string) error {
		w, err := newWrapper(text)
		opts.wrappers = append(opts.wrappers, w)
		return err
	})
	flags.StringVar(&only, "cell", "", "run only the cells whose name matches this `regexp`")
	flags.BoolVar(&opts.json, "json", false, "print JSON")
	flags.StringVar(&opts.markdown, "md", "", "also write a Markdown table to this `file`")
	if err := flags.Parse(args); err != nil {
		return opts, err
	}
	if len(opts.wrappers) == 0 {
		return opts, fmt.Errorf("name a wrapper: -w %s", strings.Join(knownWrappers(), " -w "))
	}
	var err error
	opts.only, err = regexp.Compile(only)
	return opts, err
}

// judged is the wrapper whose failures make the program fail.
func judged(wrappers []wrapper) string {
	for _, w := range wrappers {
		if w.name == "ocr-run" {
			return w.name
		}
	}
	return wrappers[len(wrappers)-1].name
}

func runAll(opts options) *table {
	t := &table{wrappers: opts.wrappers}
	for _, c := range allCells() {
		if !opts.only.MatchString(c.name) {
			continue
		}
		row := row{cell: c}
		for _, w := range opts.wrappers {
			r := runCell(c, w)
			fmt.Fprintf(os.Stderr, "%-28s %-8s %-4s %6.1fs %s\n", c.name, w.name, r.Verdict, r.Seconds, r.Detail)
			row.results = append(row.results, r)
		}
		t.rows = append(t.rows, row)
	}
	return t
}
