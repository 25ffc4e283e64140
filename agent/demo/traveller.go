package main

import (
	"fmt"
	"time"

	"lintas/agent/placement"
	"lintas/agent/verdict"
	"lintas/mrz"
)

// traveller is somebody invented, and what the system should say of them.
type traveller struct {
	label    string
	fields   mrz.Fields
	misread  bool // the scanner gets one digit wrong
	returns  bool
	scanned  bool // not swiped: a page scanner drops its picture
	faint    bool // that scanner's lamp is old
	expect   verdict.Code
	reason   verdict.ReasonCode
	decision verdict.Decision
}

func day(t time.Time) mrz.Date { return mrz.DateOf(t) }

// passport is a document of an invented Indonesian: no real number has two
// letters in front.
func passport(number, primary, secondary, sex string, birth mrz.Date, now time.Time) mrz.Fields {
	return mrz.Fields{
		DocumentCode: "P", IssuingState: "IDN", Nationality: "IDN", DocumentNumber: number,
		Primary: primary, Secondary: secondary, Sex: sex, DateOfBirth: birth, DateOfExpiry: day(now.AddDate(5, 0, 0)),
	}
}

// cast lists the travellers, each once.
func cast(now time.Time) []traveller {
	b := func(y, m, d int) mrz.Date { return mrz.Date{Year: y, Month: m, Day: d} }
	p := func(number, primary, secondary, sex string, birth mrz.Date) mrz.Fields {
		return passport(number, primary, secondary, sex, birth, now)
	}
	specimen := mrz.Fields{
		DocumentCode: "P", IssuingState: "UTO", Nationality: "UTO", DocumentNumber: "L898902C3", Primary: "ERIKSSON",
		Secondary: "ANNA MARIA", Sex: "F", DateOfBirth: b(1974, 8, 12), DateOfExpiry: b(2032, 4, 15), OptionalData: []string{"ZE184226B"},
	}
	swiped := func(label string, f mrz.Fields, misread, returns bool, expect verdict.Code, reason verdict.ReasonCode, decision verdict.Decision) traveller {
		return traveller{label: label, fields: f, misread: misread, returns: returns, expect: expect, reason: reason, decision: decision}
	}
	return []traveller{
		swiped("Placed in Hong Kong", p("ZZ0000101", "CONTOH", "MELATI", "F", b(1994, 3, 7)), false, false, verdict.Clear, verdict.P01, verdict.Proceed),
		swiped("Tourist, not on the list", specimen, false, false, verdict.None, verdict.N01, verdict.Proceed),
		swiped("One name only, placed", p("ZZ0000102", "TELADAN", "", "M", b(1988, 1, 1)), false, false, verdict.Clear, verdict.P01, verdict.Proceed),
		swiped("Contract has ended", p("ZZ0000103", "CONTOH", "KENANGA", "F", b(1990, 11, 23)), false, false, verdict.Ask, verdict.A01, verdict.Refer),
		swiped("Second passport", p("ZZ0000904", "CONTOH", "DAHLIA", "F", b(1992, 6, 30)), false, false, verdict.Ask, verdict.A04, verdict.Refer),
		swiped("Agency lost its licence", p("ZZ0000105", "CONTOH", "CEMPAKA", "F", b(1996, 2, 29)), false, false, verdict.Ask, verdict.A06, verdict.Postpone),
		swiped("Placement revoked", p("ZZ0000106", "CONTOH", "ANGGREK", "M", b(1985, 5, 5)), false, false, verdict.Stop, verdict.X01, verdict.HandedOver),
		swiped("On the attention list", p("ZZ0000907", "CONTOH", "TERATAI", "M", b(1979, 9, 9)), false, false, verdict.Stop, verdict.X03, verdict.HandedOver),
		swiped("Badly read document", p("ZZ0000908", "CONTOH", "SERUNI", "F", b(2001, 4, 18)), true, false, verdict.Unsure, verdict.M01, verdict.NotTravelling),
		swiped("Going back after leave", p("ZZ0000109", "CONTOH", "FLAMBOYAN", "M", b(1991, 12, 12)), false, false, verdict.Clear, verdict.P02, verdict.Proceed),
		swiped("Coming home, contract ended", p("ZZ0000110", "CONTOH", "WIJAYA KUSUMA", "F", b(1987, 7, 17)), false, true, verdict.Clear, verdict.P01, verdict.Proceed),
		{label: "Scanned page (PDF), placed", fields: p("ZZ0000111", "CONTOH", "EDELWEIS", "F", b(1993, 8, 21)), scanned: true,
			expect: verdict.Clear, reason: verdict.P01, decision: verdict.Proceed},
	}
}

// crowd fills the time between: so many that none comes back within the
// window in which a document counts as swiped twice.
func crowd(now time.Time) (list []traveller) {
	flowers := []string{"MAWAR", "KAMBOJA", "SOKA", "ASOKA", "ALAMANDA", "BUGENVIL", "KEMUNING", "LILI", "TULIP", "SEDAP MALAM"}
	for i := range 60 {
		f := passport(fmt.Sprintf("ZZ%07d", 2000+i), "CONTOH", flowers[i%len(flowers)], []string{"F", "M"}[i%2],
			mrz.Date{Year: 1975 + i%25, Month: 1 + i%12, Day: 1 + i%28}, now)
		t := traveller{label: "Somebody placed", fields: f, expect: verdict.Clear, reason: verdict.P01, decision: verdict.Proceed}
		if i%3 == 0 {
			t.label, t.expect, t.reason = "Not on the list", verdict.None, verdict.N01
		}
		if i%5 == 3 {
			t.label, t.scanned, t.faint = t.label+", scanned page", true, i%10 == 8
		}
		list = append(list, t)
	}
	return list
}

// sources gives what the list is built from, as lines of JSON.
func sources(now time.Time) (placements, negatives, agencies []any) {
	future, past := day(now.AddDate(1, 6, 0)), day(now.AddDate(0, -2, 0))
	add := func(f mrz.Fields, number string, edit func(*placement.Entry)) {
		e := placement.Entry{
			Record: placement.Record{
				PlacementID: fmt.Sprintf("DEMO-%03d", len(placements)+1), Rev: 1, Source: "demo", Status: placement.Ready, Scheme: "p2p",
				Destination: "HKG", JobClass: "care", EmployerKind: "household", AgencyID: "P3MI-DEMO-1",
				ContractUntil: future, VisaUntil: future, Primary: f.Primary, Secondary: f.Secondary, DateOfBirth: f.DateOfBirth,
			},
			Documents: []placement.DocumentRef{{IssuingState: f.IssuingState, DocumentNumber: number, DateOfExpiry: f.DateOfExpiry}},
		}
		if edit != nil {
			edit(&e)
		}
		placements = append(placements, e)
	}
	for _, t := range cast(now) {
		f := t.fields
		switch t.reason {
		case verdict.P01:
			add(f, f.DocumentNumber, func(e *placement.Entry) {
				if t.returns {
					e.Status, e.ContractUntil, e.VisaUntil = placement.Abroad, past, past
				}
			})
		case verdict.P02:
			add(f, f.DocumentNumber, func(e *placement.Entry) { e.Status = placement.OnLeave })
		case verdict.A01:
			add(f, f.DocumentNumber, func(e *placement.Entry) { e.ContractUntil, e.VisaUntil = past, past })
		case verdict.A04:
			add(f, "ZZ0000104", nil)
		case verdict.A06:
			add(f, f.DocumentNumber, func(e *placement.Entry) { e.AgencyID = "P3MI-DEMO-2" })
		case verdict.X01:
			add(f, f.DocumentNumber, func(e *placement.Entry) { e.Status = placement.Revoked })
		case verdict.X03:
			negatives = append(negatives, map[string]any{
				"issuing_state": f.IssuingState, "document_number": f.DocumentNumber, "kind": placement.Attention,
				"until": day(now.AddDate(0, 6, 0)), "contact": "Posko DEMO, ext. 000",
			})
		}
	}
	for _, t := range crowd(now) {
		if t.expect == verdict.Clear {
			add(t.fields, t.fields.DocumentNumber, nil)
		}
	}
	agencies = []any{
		placement.Agency{ID: "P3MI-DEMO-1", Name: "PT Contoh Teladan (invented)", Licence: placement.LicenceActive},
		placement.Agency{ID: "P3MI-DEMO-2", Name: "PT Contoh Dicabut (invented)", Licence: placement.LicenceRevoked},
	}
	return placements, negatives, agencies
}

// lines gives what the scanner sends for a traveller.
func (t traveller) lines() ([]string, error) {
	lines, err := t.fields.Lines(mrz.TD3)
	if err == nil && t.misread {
		b := []byte(lines[1])
		b[4] = '0' + (b[4]-'0'+3)%10
		lines[1] = string(b)
	}
	return lines, err
}
