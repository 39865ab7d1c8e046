//go:build race

package outage

const raceDetector = true
