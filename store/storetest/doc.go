// Package storetest makes ledgers and facts for tests. Times are explicit: an
// Instant is given by its milliseconds, and nothing here reads a clock.
package storetest
