package scanners

import "testing"

// LookIn makes the package look for devices in another folder than / until the
// test ends.
func LookIn(t testing.TB, folder string) {
	was := root
	root = folder
	t.Cleanup(func() { root = was })
}
