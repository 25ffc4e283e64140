package sync

import (
	"errors"

	"github.com/theupdateframework/go-tuf/v2/metadata"

	"lintas/agent/placement/cache"
)

// Refusal says why a list was not believed, in one word for the record:
//
//	unsigned  too few signatures, or of wrong keys
//	expired   its time is over: perhaps an old one is being replayed
//	rollback  it is older than what was seen before
//	altered   a file is not the one that was signed, or longer
//	invalid   it does not make sense
//
// A source that could not be reached, or did not give all, is no refusal.
func Refusal(err error) (code string, refused bool) {
	switch {
	case err == nil:
		return "", false
	case errors.Is(err, &metadata.ErrUnsignedMetadata{}):
		return "unsigned", true
	case errors.Is(err, &metadata.ErrExpiredMetadata{}):
		return "expired", true
	case errors.Is(err, &metadata.ErrBadVersionNumber{}), errors.Is(err, cache.ErrOlder):
		return "rollback", true
	case errors.Is(err, &metadata.ErrLengthOrHashMismatch{}), errors.Is(err, errTooLong):
		return "altered", true
	case errors.Is(err, &metadata.ErrRepository{}), errors.Is(err, cache.ErrUnfit):
		return "invalid", true
	}
	return "", false
}
