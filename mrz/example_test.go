package mrz_test

import (
	"fmt"

	"lintas/mrz"
)

// What a document says is given out field by field; printed as a whole it shows
// nothing of the traveller.
func ExampleDocument() {
	doc := mrz.Parse([]string{
		"P<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<",
		"L898902C36UTO7408122F1204159ZE184226B<<<<<10",
	}, mrz.Date{Year: 2026, Month: 11, Day: 23})
	fmt.Println(doc)
	fmt.Println(doc.DocumentNumber, doc.Name.Primary(), doc.DateOfBirth)
	fmt.Println(doc.Check(mrz.FieldDateOfBirth))
	// Output:
	// machine-readable zone (TD3, valid)
	// L898902C3 ERIKSSON 1974-08-12
	// verified
}

// Read takes lines as people paste them, and mends what the check digits prove.
func ExampleRead() {
	doc := mrz.Read([]string{
		"p<utoeriksson<<anna<maria",                          // small letters, fillers lost
		"L898902C36UTO 74O8122 F 1204159 ZE184226B <<<<< 10", // blanks, and a letter in a date
	}, mrz.Date{Year: 2026, Month: 11, Day: 23})
	fmt.Println(doc.Valid, doc.DateOfBirth, doc.Check(mrz.FieldDateOfBirth))
	for _, r := range doc.Repairs {
		if r.From != "" {
			fmt.Printf("line %d, column %d: %s instead of %s\n", r.Line, r.Column, r.To, r.From)
		}
	}
	// Output:
	// true 1974-08-12 repaired
	// line 2, column 16: 0 instead of O
}

func ExampleFields_Lines() {
	lines, err := mrz.Fields{
		DocumentCode: "P", IssuingState: "D", Nationality: "D",
		Primary: "Müller", Secondary: "Anna-Sophie",
		DocumentNumber: "C01X00T47",
		DateOfBirth:    mrz.Date{Year: 1991, Month: 2, Day: 27},
		Sex:            "F",
		DateOfExpiry:   mrz.Date{Year: 2031, Month: 4, Day: 15},
	}.Lines(mrz.TD3)
	if err != nil {
		fmt.Println(err) // names the field, never its value
		return
	}
	for _, line := range lines {
		fmt.Println(line)
	}
	// Output:
	// P<D<<MUELLER<<ANNA<SOPHIE<<<<<<<<<<<<<<<<<<<
	// C01X00T478D<<9102273F3104150<<<<<<<<<<<<<<<4
}
