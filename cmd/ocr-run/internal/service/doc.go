// Package service knows how the service managers of Linux and macOS are told to
// sweep a ledger every few minutes: systemd's for users, and launchd.
//
// # What it promises
//
// A [Spec] is turned into the texts of its files by pure functions, for either
// manager on either system. The texts carry a [Mark]; a file without it is
// foreign, and [Look] says so. A path that a manager could not be told is an error
// of [Spec.Check] and never a unit that means something else.
//
//	missing ──► same ◄──► differs (from what this version would write)
//	foreign: it is not ours, or not a plain file
//
// A systemd unit is enabled by a link, which is one of the files: with the files in
// place the timer also starts when no manager runs yet. [Control] talks to the
// manager through its command, which the caller runs.
//
// # Goroutines
//
// None.
package service
