package rule

// Outcomes counts what came of travellers who were looked at more closely after
// a rule held for them.
type Outcomes struct {
	Positive int `json:"positive"` // something was found
	Negative int `json:"negative"` // nothing was
}

// Precision is the share of those with whom something was found.
func (o Outcomes) Precision() float64 {
	if o.Positive+o.Negative == 0 {
		return 0
	}
	return float64(o.Positive) / float64(o.Positive+o.Negative)
}

// Tally is the outcomes known for each rule, by id.
type Tally map[string]Outcomes

// Add counts one outcome for the rules that held.
func (t Tally) Add(positive bool, ids ...string) {
	for _, id := range ids {
		o := t[id]
		if positive {
			o.Positive++
		} else {
			o.Negative++
		}
		t[id] = o
	}
}

// Imprecise gives the rules that have shown to be right too seldom: at least
// their minimum of outcomes is known, those from headquarters and those of this
// counter together, and the share of findings is below their floor. They are
// off until a new pack says otherwise.
func (s *Set) Imprecise(t Tally) (ids []string) {
	if s == nil {
		return nil
	}
	for _, r := range s.rules {
		if r.OneIn > 0 {
			continue // it measures, and is not measured
		}
		o := Outcomes{r.Outcomes.Positive + t[r.ID].Positive, r.Outcomes.Negative + t[r.ID].Negative}
		if o.Positive+o.Negative >= r.MinimumOutcomes && o.Precision() < r.PrecisionFloor {
			ids = append(ids, r.ID)
		}
	}
	return ids
}
