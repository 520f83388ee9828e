// Package activity measures whether processes do anything: how much processor time
// they use, how much they read and write, how much memory they hold.
//
// # What it promises
//
// [Take] is cheap enough for every heartbeat: two small files for each process on
// Linux, one ps for all of them on macOS, and it never waits for anybody. A process
// that ends between two samples is accounted for by the parent that took in its
// exit, so that a thousand short commands count like one long one, and is never
// counted twice.
//
// [Compare] and [Change.Doing] are pure. Work is more than the spinner of a program
// that waits ([BusyShare], [BusyBytes]). A program whose spinner alone keeps a
// processor busy cannot be told from one that works.
//
// What a process does says nothing about who it is, and nothing about progress.
//
// # Goroutines
//
// None. Everything runs on the caller's.
package activity
