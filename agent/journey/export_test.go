package journey

import "strings"

// Rows is the table, line by line.
func Rows() (rows [][]string) {
	for line := range strings.Lines(strings.TrimSpace(table)) {
		rows = append(rows, strings.Fields(line))
	}
	return rows
}
