//go:build !race

package outage

const raceDetector = false
