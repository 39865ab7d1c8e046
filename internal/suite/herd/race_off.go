//go:build !race

package herd

const raceDetector = false
