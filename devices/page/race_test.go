//go:build race

package page_test

// The child is this test's own program, and many times slower with the race
// detector, which finds nothing in a child that does one thing after the other.
const raceEnabled = true
