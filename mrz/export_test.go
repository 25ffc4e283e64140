package mrz

// Catalogue lists every finding for the tests.
func Catalogue() []Finding {
	var list []Finding
	for code := range catalogue {
		list = append(list, newFinding(code, FieldDateOfBirth, 1, 2))
	}
	return list
}
