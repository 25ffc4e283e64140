package placement

import (
	"errors"
	"fmt"

	"lintas/mrz"
)

// Rows gives the installed rows that carry a tag.
type Rows func(Tag) ([]Row, error)

// Find looks a document up with two slow hashes: the document's tag, and either
// the body's key or the person's tag. On error the negative entries that were
// found are returned all the same.
func (l *Lock) Find(doc mrz.Document, rows Rows) (Found, error) {
	var f Found
	tag, negativeKey, err := l.document(doc.IssuingState, doc.DocumentNumber)
	if err != nil {
		return f, err
	}
	there, err := rows(tag)
	if err != nil {
		return f, err
	}
	// Negative entries first: whatever else fails, they are returned.
	for _, row := range there {
		if row.Kind != KindNegative {
			continue
		}
		var n Negative
		if bad := unseal(negativeKey, KindNegative, tag, row.Body, &n); bad != nil {
			err = fmt.Errorf("negative entry does not open: %w", bad)
			continue
		}
		f.Negatives = append(f.Negatives, n)
	}
	if err != nil {
		return f, err
	}
	var bodyKey []byte
	for _, row := range there {
		if row.Kind != KindRecord {
			continue
		}
		f.Listed = true
		if bodyKey == nil {
			bodyKey = l.body(doc.IssuingState, doc.DocumentNumber, doc.DateOfBirth, doc.DateOfExpiry)
		}
		var r Record
		switch err := unseal(bodyKey, KindRecord, tag, row.Body, &r); {
		case err == nil:
			f.Records = append(f.Records, r)
		case !errors.Is(err, errLocked):
			return f, err
		}
	}
	if f.Listed || doc.Name.IsZero() || doc.DateOfBirth.IsZero() {
		return f, nil
	}
	stubs, err := rows(l.person(doc.Name.Primary(), doc.Name.Secondary(), doc.DateOfBirth))
	if err != nil {
		return f, err
	}
	for _, row := range stubs {
		f.OtherPaper = f.OtherPaper || row.Kind == KindStub
	}
	return f, nil
}
