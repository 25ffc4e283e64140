//go:build race

package page_test

// raceEnabled tells that these tests run with the race detector.
const raceEnabled = true
