// Package agent knows the AI coding agents ocr-run is put in front of. For now
// it recognises them; what each leaves behind as evidence is not read yet.
//
// # What it promises
//
// Pure functions over an argument vector: no I/O, no state, no goroutine.
package agent
