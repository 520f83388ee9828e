// Package archtest holds the shape of the house as tests: which directories
// exist, which package may import which, and who may touch a terminal, a
// database or the flag library. It contains no code of its own.
package archtest
