// Package doctor judges whether a machine is fit for ocr-run, and says how to mend
// what is not.
//
// # What it promises
//
// [Judge] is a pure function from [Facts] to [Finding] values: one for each thing
// that was looked at, also where all is well. What could not be found out is left
// out of the facts and never taken for trouble.
//
// The probes beside it ask the operating system and change nothing: they create no
// file, write to none, and leave the calling process as it was. [Versions] alone
// starts processes, each in a group of its own that ends with it.
//
// # Goroutines
//
// Versions starts one for each program and waits for all of them. Nothing else here
// starts any.
//
// It is a leaf: it imports nothing of this project.
package doctor
