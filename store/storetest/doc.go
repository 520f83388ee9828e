// Package storetest makes ledgers and facts for tests, and checks what others
// wrote: it follows a workflow's history from a raw connection through the rules.
// Times are explicit: an Instant is given by its milliseconds, and nothing here
// reads a clock.
package storetest
