package devices

import "lintas/mrz"

// CodeLowConfidence is the finding about a character of a picture that was not
// read with certainty. It is an error: like a cell that a scanner could not read,
// it keeps the document from being valid until somebody has looked.
const CodeLowConfidence = "low_confidence"

// Document reads what a scan says.
//
// Text is read as package mrz reads it, with small faults mended. A picture is
// taken at its word: its reader has seen the glyphs and has weighed them against
// the check digits already, and to mend once more without them could make a
// tampered digit right. Its doubtful characters become findings. A document that
// has some is not valid; doubtful tells that nothing else keeps it from being so,
// that is, that every check digit is right.
func (s Scan) Document(today mrz.Date) (d mrz.Document, doubtful bool) {
	if s.Page == nil {
		return mrz.Read(s.Lines, today), false
	}
	d = mrz.Parse(s.Lines, today)
	d.Repairs = append(d.Repairs, s.Page.Repairs...)
	for _, r := range s.Page.Repairs {
		d.Findings = append(d.Findings, mrz.Finding{
			Code: mrz.CodeRepaired, Severity: mrz.Info, Field: r.Field, Line: r.Line, Column: r.Column,
			ID: "Satu karakter terlihat kurang jelas; angka pemeriksa yang memutuskannya.",
			EN: "A character was not printed clearly; the check digits decided it.",
		})
	}
	for _, c := range s.Page.Doubtful {
		d.Findings = append(d.Findings, mrz.Finding{
			Code: CodeLowConfidence, Severity: mrz.Error, Line: c.Line, Column: c.Column,
			ID: "Satu karakter tidak terbaca dengan pasti; bandingkan dengan dokumennya.",
			EN: "A character was not read with certainty; compare it with the document.",
		})
	}
	d.Findings = append(d.Findings, s.Page.Findings...)
	doubtful = d.Valid && len(s.Page.Doubtful) > 0
	d.Valid = d.Valid && !doubtful
	return d, doubtful
}

// Settle says that a scan no longer depends on its source, and whether what
// became of it is durable. Whoever takes scans calls it once for each; only a
// source that can give a scan again waits for it.
func (s Scan) Settle(kept bool) {
	if s.Page != nil && s.Page.Settle != nil {
		s.Page.Settle(kept)
	}
}
