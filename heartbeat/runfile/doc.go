// Package runfile is the small file that a run has beside the ledger: its lease,
// with room for the record of how the run ended.
//
// # What it promises
//
// The lease ([File]) says that the wrapper lives: the kernel frees it the instant
// the wrapper dies, and sleep, a SIGSTOP or a broken database do not. A file that
// can be found under its name is complete, and was locked before it had it.
//
// The [ExitRecord] is allocated when the run starts. Writing it needs no free
// block and no lock, so that the way a run ended survives a full disk and a ledger
// nobody can write to. A reader finds all of a record or none.
//
// Beside it lie companions: files that a run needs for as long as it lasts
// ([CompanionPath]), which go with it or with the next sweep. One says, of a run
// whose wrapper has vanished, what became of what it left behind ([WriteLeftovers]).
//
// It knows no ledger: the monitor of a run, which opens none, reads and writes
// these files too. It starts no goroutine.
package runfile
