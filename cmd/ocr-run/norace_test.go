//go:build !race

package main

// raceDetector says that every process takes ten times as long.
const raceDetector = false
