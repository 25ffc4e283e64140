package placement

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

const maxLine = 64 << 10

// LineError says where a source file is wrong.
type LineError struct {
	File string
	Line int
	Err  error
}

func (e *LineError) Error() string { return fmt.Sprintf("%s:%d: %v", e.File, e.Line, e.Err) }
func (e *LineError) Unwrap() error { return e.Err }

// ReadEntries reads placement records, one JSON object a line, and reports
// every line that is wrong.
func ReadEntries(name string, r io.Reader) ([]Entry, error) {
	return readLines(name, r, Entry.check)
}

// ReadNegatives reads negative entries, one JSON object a line.
func ReadNegatives(name string, r io.Reader) ([]Negative, error) {
	lines, err := readLines(name, r, negativeLine.check)
	list := make([]Negative, len(lines))
	for i, l := range lines {
		list[i] = l.Negative
		list[i].DocumentRef = l.DocumentRef
	}
	return list, err
}

// negativeLine is a negative entry with the document it is found by.
type negativeLine struct {
	DocumentRef
	Negative
}

func (n negativeLine) check() error {
	switch {
	case n.DocumentRef.DocumentNumber == "" || n.DocumentRef.IssuingState == "":
		return errors.New("document_number and issuing_state are needed")
	case n.Kind != Attention && n.Kind != Lost:
		return fmt.Errorf("kind is neither %q nor %q", Attention, Lost)
	case n.Until.IsZero():
		return errors.New("until is missing: every negative entry ends")
	case n.Contact == "":
		return errors.New("contact is missing: the officer must know whom to call")
	}
	return nil
}

// ReadAgencies reads agencies, one JSON object a line.
func ReadAgencies(name string, r io.Reader) ([]Agency, error) {
	return readLines(name, r, func(a Agency) error {
		if a.ID == "" || a.Licence != LicenceActive && a.Licence != LicenceSuspended && a.Licence != LicenceRevoked {
			return errors.New("agency_id and a licence that is active, suspended or revoked are needed")
		}
		return nil
	})
}

func readLines[T any](name string, r io.Reader, check func(T) error) (list []T, err error) {
	var errs []error
	sc := bufio.NewScanner(r)
	sc.Buffer(nil, maxLine)
	n := 0
	for sc.Scan() {
		n++
		line := bytes.TrimSpace(sc.Bytes())
		if len(line) == 0 {
			continue
		}
		var v T
		d := json.NewDecoder(bytes.NewReader(line))
		d.DisallowUnknownFields()
		err := d.Decode(&v)
		if err == nil {
			err = check(v)
		}
		if err != nil {
			errs = append(errs, &LineError{name, n, err})
			continue
		}
		list = append(list, v)
	}
	if err := sc.Err(); err != nil {
		errs = append(errs, &LineError{name, n + 1, err})
	}
	return list, errors.Join(errs...)
}
