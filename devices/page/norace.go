//go:build !race

package page

const (
	raceDetector = false
	slower       = 1
)
