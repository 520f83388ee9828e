package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"time"
)

const (
	// floodVerb makes the bench the program that writes as fast as it can.
	floodVerb = "flood-stdout"
	// floodSize is the volume of the raw measurements in bytes.
	floodSize = 200_000_000
	// copyLimit is for the slowest peer on a slow machine.
	copyLimit = 3 * time.Minute
)

// flood writes size bytes of x in large blocks and returns an exit code.
func flood(size string) int {
	left, err := strconv.Atoi(size)
	if err != nil {
		return 2
	}
	block := bytes.Repeat([]byte{'x'}, 64<<10)
	for left > 0 {
		n, err := os.Stdout.Write(block[:min(left, len(block))])
		if err != nil {
			return 1
		}
		left -= n
	}
	return 0
}

// copies measures how fast output passes through the wrapper's terminal into
// one that the bench empties.
func copies(ctx context.Context, l *lab) ([]table, error) {
	peers := append(l.only(bareName, sudoName, scriptName, pollName, blockName, goName), l.ocr("--quiet")...)
	size, lines := pick(l.quick, floodSize/4, floodSize), pick(l.quick, 1_000_000, 5_000_000)
	raw := func(ctx context.Context, p peer) ([]float64, error) {
		return l.throughput(ctx, p.wrap([]string{l.self, floodVerb, strconv.Itoa(size)}), int64(size))
	}
	first, err := l.copyTable(ctx, "copy", fmt.Sprintf("Terminal throughput, %d MB without a newline (MB/s)", size/1e6), peers, raw)
	if err != nil {
		return []table{first}, err
	}
	seq, err := exec.LookPath("seq")
	if err != nil {
		return []table{first}, fmt.Errorf("find seq: %w", err)
	}
	text := func(ctx context.Context, p peer) ([]float64, error) {
		return l.throughput(ctx, p.wrap([]string{seq, strconv.Itoa(lines)}), seqSize(lines))
	}
	second, err := l.copyTable(ctx, "copy-lines", fmt.Sprintf("Terminal throughput, %d lines (MB/s)", lines), peers, text)
	return []table{first, second}, err
}

// copyTable compares peers with the two C loops.
func (l *lab) copyTable(ctx context.Context, name, title string, peers []peer, once func(context.Context, peer) ([]float64, error)) (table, error) {
	n := pick(l.quick, 3, 9)
	r, notes, err := l.rounds(ctx, n, peers, once)
	t := table{
		Name: name, Title: fmt.Sprintf("%s, %d rounds", title, n),
		Columns: []string{"median", "best", "of C poll", "of C copy", "of Go io.Copy"}, Notes: notes,
	}
	for _, p := range peers {
		m := r.median(p.name, 0)
		t.Rows = append(t.Rows, row{p.name, []number{
			m, r.percentile(p.name, 0, 100), m / r.median(pollName, 0), m / r.median(blockName, 0), m / r.median(goName, 0),
		}})
	}
	what := name + ": throughput, of the C "
	t.Gates = []gate{
		atLeast(what+"poll loop's", r.median(ocrName, 0)/r.median(pollName, 0), 0.9),
		atLeast(what+"blocking loop's", r.median(ocrName, 0)/r.median(blockName, 0), 0.9),
	}
	return t, err
}

// throughput runs a command on a terminal, discards its output and returns
// MB/s. Another number of bytes than expected is an error: nothing may be lost.
func (l *lab) throughput(ctx context.Context, argv []string, size int64) ([]float64, error) {
	t, err := l.start(ctx, argv, launch{limit: copyLimit})
	if err != nil {
		return nil, err
	}
	elapsed, err := t.wait()
	if got := t.seen.Load(); err == nil && got != size {
		err = fmt.Errorf("%d bytes came through, %d were written", got, size)
	}
	return []float64{float64(size) / 1e3 / elapsed}, err
}

// seqSize is what seq 1…n prints, with the carriage return a terminal adds.
func seqSize(n int) int64 {
	var size int64
	for low, digits := 1, 1; low <= n; low, digits = low*10, digits+1 {
		size += int64(min(n, low*10-1)-low+1) * int64(digits+2)
	}
	return size
}
