// Package ocrdb is the foreign view: the database of Open Code Review, read and,
// in one row per run, written from outside. No other package knows its file,
// its words or its exit codes.
//
// # What it promises
//
// Find finds the database of a project; everything else asks the file anew
// each time. Nothing is kept open between two calls, so that the product may
// replace, migrate or remove the file in between. This package reads no clock
// and no environment and starts no goroutine and no process; time comes in as
// wall-clock UTC milliseconds.
//
// It writes rows of command_executions whose id is IDOf(uid), and no other row
// and no other table. It never writes a pid, because the product kills the
// processes whose pid it finds. It creates, migrates, deletes and closes
// nothing. A schema it does not know (newer than 15) or that has no uid (older
// than 9) is only read: ErrTooNew, ErrTooOld. What columns there are is asked,
// not known.
//
//	           Announce          Finish
//	(no row) ──────────► running ──────► ended
//	    ▲                 │   ▲  └──────► ended as cascaded by its workflow's
//	    │  file replaced  │   │ Beat         close ──Finish──► ended as it did
//	    └─────────────────┘───┘  └──────► ended by anybody else, for ever;
//	                                          Finish only adds to the notes
//
// # Two ways a file is written
//
// Up to schema 11 the programs of the product take the whole file into memory
// and rename a new one over it, without a lock. From 12 they use SQLite as it is
// meant, with a write-ahead log. So do we: see changeImage and changeNative. Up
// to 11 the file is never in write-ahead logging after a write of ours, even
// where its header asked for it, and nothing is left beside it; unless another
// program has it open in that mode in this moment, and then the write goes where
// that program sees it.
//
// A program of the rename era that was loading while we wrote saves a copy
// without our row. Nobody can prevent that; the next Beat, and Finish, which may
// be called again, put the row back as it was.
//
// No lock is held for longer than a few statements take: at 11 and before, for
// one look and one swap of names.
package ocrdb
