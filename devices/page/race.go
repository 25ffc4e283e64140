//go:build race

package page

// raceDetector tells that this is a test under the race detector, whose shadow
// memory needs more than a child may have.
const raceDetector = true

// slower is how much longer everything may take then.
const slower = 3
