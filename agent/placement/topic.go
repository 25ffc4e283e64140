package placement

import (
	"fmt"
	"strconv"
	"time"
)

// The list's topics. All messages are retained.
const (
	IndexTopic = "lintas/v1/list/index"
	metaTopic  = "lintas/v1/list/meta/"
	partTopic  = "lintas/v1/list/part/"
)

// PartSize is what a message carries of a target, at most.
const PartSize = 256 << 10

// MaxCarried bounds what brokers are given of full lists.
const MaxCarried = 256 << 20

// Index is the message under IndexTopic. What it does not name does not exist.
type Index struct {
	Time     time.Time `json:"time"`
	Metadata []string  `json:"metadata"`         // names of the files now current
	Absent   []string  `json:"absent,omitempty"` // SHA-256 of targets that this broker does not carry
}

// MetaTopic is where a metadata file is.
func MetaTopic(file string) string { return metaTopic + file }

// PartTopic is where part n, from 0, of a target is.
func PartTopic(sha256 string, n int64) string {
	return partTopic + sha256 + "/" + strconv.FormatInt(n, 10)
}

// Parts is how many parts a target of this length has.
func Parts(length int64) int64 { return (length + PartSize - 1) / PartSize }

// Check tells whether an index makes sense.
func (i Index) Check() error {
	if len(i.Metadata) == 0 {
		return fmt.Errorf("index names no metadata")
	}
	return nil
}
