package mrz_test

import (
	"fmt"

	"lintas/mrz"
)

func ExampleName_Compare() {
	zone := mrz.NewName("AISYAH", "NUR<B")
	record := mrz.NewName("Nur", "Aisyah Budiarti")
	match := zone.Compare(record)
	fmt.Println(match.Likeness)
	for _, reason := range match.Reasons {
		fmt.Println(reason.EN())
	}
	// Output:
	// compatible
	// The parts of the name stand in another order.
	// A part of the name is given as an initial only.
}

func ExampleNameKey() {
	fmt.Println(mrz.NameKey("O’Connor", "Siobhán Märie"))
	fmt.Println(mrz.NameKey("OCONNOR", "SIOBHAN<MAERIE"))
	// Output:
	// OCONNOR SIOBHAN MAERIE
	// OCONNOR SIOBHAN MAERIE
}
