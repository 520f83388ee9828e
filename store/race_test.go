//go:build race

package store_test

// raceDetector says that everything is ten times slower.
const raceDetector = true
