package crossing

import (
	"errors"
	"fmt"
	"strings"

	"filippo.io/age"
)

// ParseRecipients reads the hub's age recipients, one each: X25519 ones
// (age1…) or post-quantum ones (age1pq1…). Several of one kind may be given,
// so that the hub's identity can be rotated: each of them opens every record.
// The kinds cannot be mixed, because a record that is also sealed to a classic
// recipient is safe from no quantum computer.
func ParseRecipients(texts ...string) ([]age.Recipient, error) {
	list, err := age.ParseRecipients(strings.NewReader(strings.Join(texts, "\n")))
	if err != nil {
		return nil, err
	}
	hybrid := 0
	for _, r := range list {
		switch r.(type) {
		case *age.X25519Recipient:
		case *age.HybridRecipient:
			hybrid++
		default:
			return nil, fmt.Errorf("recipient %v is of no kind known here", r)
		}
	}
	if hybrid > 0 && hybrid < len(list) {
		return nil, errors.New("recipients are of two kinds: use either only post-quantum ones (age1pq1…) or only classic ones (age1…)")
	}
	return list, nil
}
