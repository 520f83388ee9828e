// Package clocktest is a clock for tests: it moves only as told, or along with
// package time inside a synctest bubble, and it can sleep, stall and step.
package clocktest
