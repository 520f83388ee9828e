// Package inhibit keeps the machine awake for a while.
//
// # What it promises
//
// [Acquire] returns within about a second, with a [Lock] or with the one reason why
// there is none. The lock ends with Release and in any case with this process,
// however it dies. No child inherits it.
//
// On Linux logind is asked over the system bus, without ever asking a person, and
// what it hands out is a descriptor: open it holds, closed it does not. Wanted is
// that nobody puts the machine to sleep; a user without a seat, as over ssh, is
// often allowed less, namely that it does not fall asleep by itself, and then gets
// that. Closing the lid puts a laptop to sleep in either case. On macOS caffeinate
// does the same work as a child that watches this process.
//
// # Goroutines
//
// Those of the bus connection, which is closed before Acquire returns.
package inhibit
