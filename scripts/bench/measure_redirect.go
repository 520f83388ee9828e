package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
)

// directSize is the volume for peers that leave a redirected descriptor alone:
// enough for their start-up not to count.
const directSize = 5 * floodSize

// redirected measures output that never needed a terminal: into a file in
// memory and into a pipe. Rates of peers that copy it are of a smaller volume.
func redirected(ctx context.Context, l *lab) ([]table, error) {
	peers := append(l.only(bareName, sudoName, scriptName, goName), l.ocr("--quiet")...)
	n := pick(l.quick, 3, 9)
	file, notes, err := l.rounds(ctx, n, peers, l.intoFile)
	if err != nil {
		return nil, err
	}
	pipe, more, err := l.rounds(ctx, n, peers, l.intoPipe)
	t := table{
		Name: "redirect", Title: fmt.Sprintf("Redirected stdout, everything else on a terminal (MB/s, %d rounds of %d MB)", n, directSize/1_000_000),
		Columns: []string{"file", "best", "of bare", "pipe", "best", "of bare"}, Notes: append(notes, more...),
	}
	for _, p := range peers {
		f, q := file.median(p.name, 0), pipe.median(p.name, 0)
		t.Rows = append(t.Rows, row{p.name, []number{
			f, file.percentile(p.name, 0, 100), f / file.median(bareName, 0),
			q, pipe.percentile(p.name, 0, 100), q / pipe.median(bareName, 0),
		}})
	}
	t.Gates = []gate{
		atLeast("stdout in a file, of bare", file.median(ocrName, 0)/file.median(bareName, 0), 0.9),
		atLeast("stdout in a pipe, of bare", pipe.median(ocrName, 0)/pipe.median(bareName, 0), 0.9),
	}
	return []table{t}, err
}

// redirectSize is how many bytes a peer is given.
func redirectSize(p peer) int {
	if p.name == scriptName || p.name == goName {
		return floodSize / 4
	}
	return directSize
}

// intoFile sends the flood into a fresh file in memory.
func (l *lab) intoFile(ctx context.Context, p peer) ([]float64, error) {
	file, err := memoryFile(l.dir)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	size := redirectSize(p)
	t, err := l.start(ctx, p.wrap([]string{l.self, floodVerb, strconv.Itoa(size)}), launch{stdout: file, limit: copyLimit})
	if err != nil {
		return nil, err
	}
	elapsed, err := t.wait()
	if info, statErr := file.Stat(); err == nil && (statErr != nil || info.Size() != int64(size)) {
		err = errors.Join(fmt.Errorf("the file does not hold the %d bytes written", size), statErr)
	}
	return []float64{float64(size) / 1e3 / elapsed}, err
}

// intoPipe sends the flood into a pipe the bench empties.
func (l *lab) intoPipe(ctx context.Context, p peer) ([]float64, error) {
	r, w, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	defer r.Close()
	size := redirectSize(p)
	t, err := l.start(ctx, p.wrap([]string{l.self, floodVerb, strconv.Itoa(size)}), launch{stdout: w, limit: copyLimit})
	w.Close()
	if err != nil {
		return nil, err
	}
	emptied := make(chan int64, 1)
	go func() {
		// A plain reader type: copying into io.Discard would splice.
		n, _ := io.CopyBuffer(io.Discard, struct{ io.Reader }{r}, make([]byte, 64<<10))
		emptied <- n
	}()
	elapsed, err := t.wait()
	if got := <-emptied; err == nil && got != int64(size) {
		err = fmt.Errorf("%d bytes came through, %d were written", got, size)
	}
	return []float64{float64(size) / 1e3 / elapsed}, err
}
