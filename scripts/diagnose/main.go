package main

import (
	"bufio"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"regexp"
	"sync"
	"syscall"
)

type options struct {
	ocr, cache, keep, results, markdown string
	only                                *regexp.Regexp
	jobs                                int
	list, report                        bool
}

func main() {
	opts, err := parse(os.Args[1:])
	if err == nil {
		err = measure(opts)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "diagnose:", err)
		os.Exit(1)
	}
}

func parse(args []string) (options, error) {
	var opts options
	var only string
	cache, _ := os.UserCacheDir()
	flags := flag.NewFlagSet("diagnose", flag.ContinueOnError)
	flags.StringVar(&opts.ocr, "ocr-run", "bin/ocr-run", "the `program` to measure")
	flags.StringVar(&opts.cache, "cache", filepath.Join(cache, "ocr-run-diagnose"), "`directory` the agents are installed in")
	flags.StringVar(&opts.keep, "keep", "", "keep what each run left in this `directory`")
	flags.StringVar(&opts.results, "results", "", "add the results to this `file`, and take those already there into the report")
	flags.StringVar(&opts.markdown, "md", "", "write the report to this `file`")
	flags.StringVar(&only, "only", "", "make only the runs whose agent/fault/mode matches this `regexp`")
	flags.IntVar(&opts.jobs, "jobs", 2, "how many runs at a time")
	flags.BoolVar(&opts.list, "list", false, "list the runs and make none")
	flags.BoolVar(&opts.report, "report", false, "make no runs: report those in -results")
	if err := flags.Parse(args); err != nil {
		return opts, err
	}
	var err error
	if opts.only, err = regexp.Compile(only); err != nil {
		return opts, err
	}
	for _, path := range []*string{&opts.ocr, &opts.cache, &opts.keep} {
		if *path != "" {
			if *path, err = filepath.Abs(*path); err != nil {
				return opts, err
			}
		}
	}
	return opts, nil
}

// trials lists the runs to make. A terminal cannot be lost where there is none.
func trials(only *regexp.Regexp) []trial {
	var all []trial
	for _, f := range faults() {
		for _, m := range []mode{modeText, modeJSON, modeScreen, modePiped} {
			for _, s := range subjects() {
				if t := (trial{s, f, m}); f.in(m) && only.MatchString(t.name()) {
					all = append(all, t)
				}
			}
		}
	}
	return all
}

func measure(opts options) error {
	todo := trials(opts.only)
	if opts.list {
		for _, t := range todo {
			fmt.Println(t.name())
		}
		return nil
	}
	results, err := readResults(opts.results)
	if err != nil {
		return err
	}
	if !opts.report {
		made, err := makeAll(opts, todo)
		if err != nil {
			return err
		}
		results = merge(append(results, made...))
	}
	sum := tally(results)
	if opts.markdown != "" {
		if err := os.WriteFile(opts.markdown, []byte(markdown(results)), 0o644); err != nil {
			return fmt.Errorf("write the report: %w", err)
		}
	}
	fmt.Println(sum)
	if sum.falseSuccess+sum.falseIncomplete > 0 || sum.causes*100 < sum.runs*causeGoal {
		return fmt.Errorf("the goal is missed")
	}
	return nil
}

// makeAll makes the runs, a few at a time.
func makeAll(opts options, todo []trial) ([]result, error) {
	w, err := openWorkshop(opts.cache)
	if err != nil {
		return nil, err
	}
	versions := map[string]string{}
	for _, t := range todo {
		if versions[t.subject.name] == "" {
			if versions[t.subject.name], err = w.install(t.subject); err != nil {
				return nil, err
			}
		}
	}
	out, err := os.OpenFile(orNull(opts.results), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
	if err != nil {
		return nil, fmt.Errorf("open the results: %w", err)
	}
	defer out.Close()
	stop := make(chan os.Signal, 1)
	signal.Notify(stop, syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP)
	var (
		mu    sync.Mutex
		made  []result
		wait  sync.WaitGroup
		queue = make(chan trial)
	)
	for range opts.jobs {
		wait.Go(func() {
			for t := range queue {
				r := one(opts, w, t)
				r.Version = versions[r.Agent]
				mu.Lock()
				made = append(made, r)
				fmt.Fprintln(out, text(r))
				fmt.Fprintln(os.Stderr, line1(r))
				mu.Unlock()
			}
		})
	}
	func() {
		defer close(queue)
		for _, t := range todo {
			select {
			case queue <- t:
			case <-stop:
				return
			}
		}
	}()
	wait.Wait()
	return made, nil
}

// one makes one run in a directory of its own.
func one(opts options, w workshop, t trial) result {
	r := result{Agent: t.subject.name, Fault: t.fault.name, Mode: string(t.mode)}
	dir := filepath.Join(opts.keep, t.subject.name+"-"+t.fault.name+"-"+string(t.mode))
	err := os.RemoveAll(dir)
	if opts.keep == "" {
		dir, err = os.MkdirTemp("", "diagnose-")
		defer os.RemoveAll(dir)
	}
	if err == nil {
		var made result
		if made, err = t.make(opts.ocr, w.path, dir, w); err == nil {
			return made
		}
	}
	r.Trouble = err.Error()
	return r
}

func orNull(path string) string {
	if path == "" {
		return os.DevNull
	}
	return path
}

// readResults reads results of earlier measurements; none when there is no file.
func readResults(path string) ([]result, error) {
	f, err := os.Open(orNull(path))
	if os.IsNotExist(err) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read the results: %w", err)
	}
	defer f.Close()
	var all []result
	for dec := json.NewDecoder(bufio.NewReader(f)); ; {
		var r result
		if err := dec.Decode(&r); err == io.EOF {
			return merge(all), nil
		} else if err != nil {
			return nil, fmt.Errorf("read the results: %w", err)
		}
		all = append(all, r)
	}
}

// merge keeps the last result of each run.
func merge(all []result) []result {
	at := map[string]int{}
	var kept []result
	for _, r := range all {
		if i, ok := at[r.name()]; ok {
			kept[i] = r
			continue
		}
		at[r.name()] = len(kept)
		kept = append(kept, r)
	}
	return kept
}
