package placement

import (
	"encoding/hex"
	"fmt"
	"hash"
	"io"
	"os"
)

// checkedFile reads a file and turns its end into an error unless length and
// hash are the expected ones.
type checkedFile struct {
	f    *os.File
	name string
	left int64
	want string
	sum  hash.Hash
}

func (c *checkedFile) Read(p []byte) (int, error) {
	n, err := c.f.Read(p)
	c.sum.Write(p[:n])
	if c.left -= int64(n); c.left < 0 {
		return 0, fmt.Errorf("%s is longer than the list says", c.name)
	}
	if err != io.EOF {
		return n, err
	}
	if c.left > 0 {
		return n, fmt.Errorf("%s is shorter than the list says", c.name)
	}
	if hex.EncodeToString(c.sum.Sum(nil)) != c.want {
		return n, fmt.Errorf("%s is not the file the list names: its SHA-256 differs", c.name)
	}
	return n, io.EOF
}

func (c *checkedFile) Close() error { return c.f.Close() }
