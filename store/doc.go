// Package store is the ledger: the one SQLite file that holds the truth about
// executions, workflows, turns and events. No other package speaks SQL.
//
// # What it promises
//
// A rule of the ledger is kept by the ledger: in CHECKs, partial unique indexes
// and triggers, so that it holds whoever writes (migrations/, and the test that
// tries to break each rule from a raw connection). Every change is one immediate
// transaction guarded by the state it starts from; what was acknowledged
// survives a kill -9 at any moment. Terminal states are final, with one
// exception: an execution given up as lost takes its real end from the same
// generation. Requests to stop and to cancel are sticky. History is only ever
// added to. Outcomes are stored nowhere.
//
// Time comes in as a parameter. This package reads no clock, no pid and no
// environment.
//
//	            Announce          Launched            Finish
//	(no row) ──────────► running ──────────► running ────────► exited, signalled
//	                        │                   │                      ▲
//	                        │ Finish            │ Finish               │ Finish, same
//	                        ▼                   ▼                      │ generation
//	                   not-started             lost ───────────────────┘
//
// # Flows
//
// A flow is a workflow of kind flow that executions point to. What is asked of it is
// decided by lifecycle on the row as the write transaction sees it, and refused with
// a word; the end of a child settles its flow in the transaction of that end, whoever
// writes it. Why a flow is in its state, and its limit, are read from its events.
//
//	queued ──► running ◄──► waiting, blocked      each ──► failed, cancelled
//	             └──────────────┴──────────────────────► succeeded
//
// # When the ledger cannot be had
//
// A Recorder stands between a run and its ledger. A ledger that is missing,
// locked, full, read-only, damaged or too new never stops a run: the facts go to
// a spool directory, one JSON line each, and are taken in, in order and exactly
// once, by the Recorder itself when the ledger is back or by IngestSpool at
// somebody's next start. The files of one execution there:
//
//	UID.jsonl            facts waiting; its wrapper and whoever tells of it append
//	UID.jsonl.taken      facts being taken in, by the holder of .lock
//	UID.jsonl.rejected   facts no ledger will take, each with the reason
//
// What a run worked on in a ledger that is removed or replaced under it is read from the
// old file, which is still open, and goes into the end of the run. The log that a removed
// file has left is put aside, as ledger.db-wal.old, when the next one is made. An end that
// waits in the spool says both what it is in the ledger that had the run and what it is in
// another: that one can know nothing of the work which the end does not say, and what could
// not be read at the end stays unreadable.
//
// A file that is emptied, or whose log is removed, while it is open is as good as replaced;
// closing it saves what the log holds. Once another process has begun a new log the run
// goes on in the spool: nothing else could be written without harm to that one.
//
// A Recorder returns verdicts on a fact (fenced, conflict, broken rule) and
// never trouble with a file. LastTurn says what those that wait make of a run that
// is over, without taking them in.
//
// Examine tells of a ledger from outside, without a file being made or changed.
//
// # Processes and goroutines
//
// Any number of processes may have the ledger open; the first ones race safely
// to create and migrate it. Migrations only add, so that wrappers of the
// previous release keep writing for as long as their runs last. A Ledger has one
// connection: nothing inside a transaction may use the Ledger itself. The
// package starts one goroutine of its own, which folds the log (Foresee); it and those
// of database/sql end with Close.
// A process about to exit need not close: the write-ahead log is folded in by a
// later run that is alone with it (Foresee), or by the writer who makes it long.
package store
