package counter

import (
	"context"

	"lintas/agent/placement"
	"lintas/mrz"
)

// maxGuesses bounds the look-ups for one document; each costs slow hashes.
const maxGuesses = 3

// Guess is a field of which the list has one of the readings that the document
// leaves open.
type Guess struct{ Field, Value string }

// guess looks for the record of a document that was not read surely, under the
// readings between which its check digits cannot decide. Few look-ups are made,
// and only when the document itself found nothing.
//
// A record that opens under a reading proves it: nothing opens without number,
// birth date and expiry. A negative entry proves nothing, it may be somebody
// else's. Either way the officer is asked to compare; nobody is cleared, and
// nobody stopped for a number that may not be his.
func (c *Counter) guess(ctx context.Context, doc mrz.Document, found placement.Found) (mrz.Document, placement.Found, []Guess) {
	if !found.ListPresent || len(found.Records) > 0 || len(found.Negatives) > 0 || doc.Valid && !found.Listed {
		return doc, found, nil // a number that is proven has no other reading
	}
	perhapsDoc, perhapsFound, perhaps := doc, found, []Guess(nil)
	opened := 0
	for _, v := range variants(doc) {
		other, err := c.o.List.Find(ctx, v.doc)
		if err != nil {
			c.o.Logger.Warn("cannot look up", "error", err)
			break
		}
		switch {
		case len(other.Records) > 0:
			opened++
			perhapsDoc, perhapsFound, perhaps = v.doc, other, v.guesses
		case len(other.Negatives) > 0 && opened == 0 && perhaps == nil:
			perhapsDoc, perhapsFound, perhaps = v.doc, other, v.guesses
		}
	}
	if opened > 1 { // the list cannot decide either
		return doc, found, nil
	}
	return perhapsDoc, perhapsFound, perhaps
}

type variant struct {
	doc     mrz.Document
	guesses []Guess
}

// variants are the document's other readings: for each field that the list is
// searched by, as read or one of its candidates.
func variants(doc mrz.Document) []variant {
	all := []variant{{doc: doc}}
	for _, field := range []string{mrz.FieldDocumentNumber, mrz.FieldDateOfBirth, mrz.FieldDateOfExpiry} {
		for _, v := range all { // all as it was before this field
			for _, candidate := range doc.Candidates {
				if candidate.Field != field {
					continue
				}
				if other, ok := v.with(candidate); ok {
					all = append(all, other)
				}
			}
		}
	}
	return all[1:min(len(all), 1+maxGuesses)]
}

func (v variant) with(c mrz.Candidate) (variant, bool) {
	as := v.doc
	switch c.Field {
	case mrz.FieldDocumentNumber:
		as.DocumentNumber = c.Value
	case mrz.FieldDateOfBirth, mrz.FieldDateOfExpiry:
		d, err := mrz.ParseDate(c.Value)
		if err != nil {
			return v, false
		}
		if c.Field == mrz.FieldDateOfBirth {
			as.DateOfBirth = d
		} else {
			as.DateOfExpiry = d
		}
	}
	if as.DocumentNumber == v.doc.DocumentNumber && as.DateOfBirth == v.doc.DateOfBirth && as.DateOfExpiry == v.doc.DateOfExpiry {
		return v, false
	}
	return variant{as, append(v.guesses[:len(v.guesses):len(v.guesses)], Guess{c.Field, c.Value})}, true
}
