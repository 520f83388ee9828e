//go:build !linux

package main

// becomeSubreaper does nothing: only Linux has subreapers. What a cell started is found by its marker.
func becomeSubreaper() error { return nil }

// reapAdopted does nothing: orphans are init's.
func reapAdopted(func(pid int) bool) {}
