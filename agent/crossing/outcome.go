package crossing

// Outcome says what came of a traveller whom the officer referred. From these
// the precision of each rule is computed.
type Outcome struct {
	Stamp
	Place
	Officer        string   `json:"officer_id,omitempty"`
	InspectionID   string   `json:"inspection_id"`
	InspectionHash string   `json:"inspection_hash"` // of the sealed inspection.opened
	Outcome        string   `json:"outcome"`         // positive: something was found; negative
	Reasons        []string `json:"reasons"`         // why the traveller was asked
	RulesShadow    []string `json:"rules_shadow,omitempty"`
}

// Changed says that a setting of the counter was changed on the page.
type Changed struct {
	Stamp
	Place
	Officer string `json:"officer_id,omitempty"`
	Setting string `json:"setting"` // journey
	Value   string `json:"value"`   // empty: none
}
