// Package reaper keeps the ledger true after wrappers have died: what they could
// not write is written by whoever looks next.
//
// # What it promises
//
// A row is settled only on proof that nobody will write it any more: its lease
// is free, its wrapper's identity is gone (or of another boot), and its monitor
// is gone too. Age proves nothing. An exit record beside the ledger beats a
// verdict of "lost". What still lives of a lost run is named in its row. Every row
// is judged on its own; trouble with one leaves the others alone. No process is
// signalled here.
//
// # States of a row, as seen from outside
//
//	live, late, stopped ──► left alone
//	gone, monitor alive ──► left alone: it is writing the exit record
//	gone, exit record   ──► the real end
//	gone, no record     ──► lost, which may still learn its real end
//
// There are no goroutines: callers choose when to sweep.
package reaper
