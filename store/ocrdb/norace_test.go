//go:build !race

package ocrdb

const raceDetector = false
