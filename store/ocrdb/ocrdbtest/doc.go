// Package ocrdbtest stands in for Open Code Review in tests: it does to a project's
// database what the product's programs do, in the way of the era that the file is of.
// Up to schema 11 they take the whole file into memory and rename a new one over it,
// without a lock and without a look; from 12 they use SQLite as it is meant.
//
// It starts no goroutine, keeps nothing open between two calls, Hold excepted, and
// reads no clock but SQLite's.
package ocrdbtest
