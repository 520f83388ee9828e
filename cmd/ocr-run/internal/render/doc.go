// Package render turns what is known about runs into text for people and JSON
// for programs.
//
// # What it promises
//
// Every function is pure: the same model and style give the same bytes. The
// JSON is a contract: every field is present, what is absent is null, and an
// incompatible change raises SchemaVersion. Text for people promises nothing
// to programs, but it never cuts a uid, an outcome or a cause, and never lets
// a control character through: a command line is data, not instructions to a
// terminal.
//
// The package starts no goroutine, holds no state and imports no other
// package of ours: the words of the vocabularies pass through as text.
package render
