package serial

import "testing"

// TakeForRealPorts makes the package treat pseudo-terminals as what they stand
// for, until the test ends.
func TakeForRealPorts(t testing.TB) {
	was := isPty
	isPty = func(int) (bool, error) { return false, nil }
	t.Cleanup(func() { isPty = was })
}
