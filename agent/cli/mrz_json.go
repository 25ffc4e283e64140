package cli

import (
	"lintas/devices"
	"lintas/mrz"
)

// mrzResult is one object of `lintas mrz --json`; lists are never null.
type mrzResult struct {
	ID             any             `json:"id"`
	Format         mrz.Format      `json:"format"`
	Valid          bool            `json:"valid"`
	Lines          []string        `json:"lines"`
	DocumentCode   string          `json:"document_code"`
	IssuingState   string          `json:"issuing_state"`
	Primary        string          `json:"primary"`
	Secondary      string          `json:"secondary"`
	NameTruncated  bool            `json:"name_truncated"`
	DocumentNumber string          `json:"document_number"`
	Nationality    string          `json:"nationality"`
	DateOfBirth    mrz.Date        `json:"date_of_birth"`
	Sex            string          `json:"sex"`
	DateOfExpiry   mrz.Date        `json:"date_of_expiry"`
	OptionalData   []string        `json:"optional_data"`
	Checks         []mrz.Check     `json:"checks"`
	Findings       []mrz.Finding   `json:"findings"`
	Repairs        []mrz.Repair    `json:"repairs"`
	Candidates     []mrz.Candidate `json:"candidates"`

	// Of a zone that was read from a picture.
	Page       int             `json:"page,omitempty"`
	Confidence *float64        `json:"confidence,omitempty"`
	Doubtful   []devices.Doubt `json:"doubtful,omitempty"`
}

// noZone is what is said of input that has no zone.
type noZone struct {
	ID       any           `json:"id"`
	Format   mrz.Format    `json:"format"`
	Valid    bool          `json:"valid"`
	Findings []mrz.Finding `json:"findings"`
	Page     int           `json:"page,omitempty"`
}

// result gives the object for a document; one without a zone has only its
// findings to tell.
func result(id any, d mrz.Document) any {
	if d.Format == "" {
		return noZone{ID: id, Findings: append([]mrz.Finding{}, d.Findings...)}
	}
	return zoneResult(id, d)
}

func zoneResult(id any, d mrz.Document) mrzResult {
	return mrzResult{
		ID: id, Format: d.Format, Valid: d.Valid, Lines: d.Lines,
		DocumentCode: d.DocumentCode, IssuingState: d.IssuingState,
		Primary: d.Name.Primary(), Secondary: d.Name.Secondary(), NameTruncated: d.Name.Truncated,
		DocumentNumber: d.DocumentNumber, Nationality: d.Nationality,
		DateOfBirth: d.DateOfBirth, Sex: d.Sex, DateOfExpiry: d.DateOfExpiry,
		OptionalData: d.Optional(), Checks: d.Checks.List(),
		Findings:   append([]mrz.Finding{}, d.Findings...),
		Repairs:    append([]mrz.Repair{}, d.Repairs...),
		Candidates: append([]mrz.Candidate{}, d.Candidates...),
	}
}
