// Command matrix measures how much a wrapper changes the command it wraps: it runs every cell of a behaviour matrix against each
// wrapper named, from outside, and prints which cells hold.
//
//	go run ./scripts/matrix -w ocr-run=./ocr-run -w bare -w script -w sudo -md docs/matrix.md
//
// Wrappers: bare (no wrapper: shows that the cells themselves are right), script, sudo, tini, dumb-init, ocr-run; NAME=PATH names the binary.
// It exits 1 when ocr-run, or the last wrapper if ocr-run is not among them, fails a cell.
//
// Cells run one after the other, because several measure time. Each has its own directory, its own state directory and its own
// limit; whatever it started is killed before the next begins: the program is a subreaper and all that descends from it is the cell's.
package main
