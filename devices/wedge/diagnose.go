package wedge

import (
	"fmt"

	"lintas/devices"
)

// What keeps swipes from being read.
var (
	typed = []devices.Diagnosis{{Code: devices.Typed, Mending: true,
		ID: "Ada orang mengetik di papan ketik ini, dan ketikannya dibuang. Jika ini papan ketik petugas, atur port ke alat pemindai.",
		EN: "Somebody types on this keyboard, and the keys are given up. If it is the officer's, set port to the scanner's device."}}

	undecided = wrongLayout(
		"Tata letak papan ketik pemindai tidak dapat ditentukan dari ketikannya. Atur layout sesuai setelan pemindai.",
		"The keys do not tell in which layout the scanner types. Set layout to what the scanner is set to.")

	unknown = wrongLayout(
		"Pemindai mengetik dengan tata letak yang tidak dikenal. Setel pemindai ke tata letak Amerika dan atur layout = \"us\".",
		"The scanner types in a layout that is not known. Set the scanner to the American one, and layout = \"us\".")
)

// otherThan says that the scanner is not set to the layout of the configuration,
// and to which it is if there is only one.
func otherThan(layout Layout, whole []*reading) []devices.Diagnosis {
	if len(whole) == 1 && !whole[0].witness {
		return wrongLayout(
			fmt.Sprintf("Pemindai tidak mengetik dengan tata letak %q, tetapi %q. Atur layout = %q.", layout, whole[0].name, whole[0].name),
			fmt.Sprintf("The scanner does not type in the layout %q but in %q. Set layout = %q.", layout, whole[0].name, whole[0].name))
	}
	return wrongLayout(
		fmt.Sprintf("Pemindai tidak mengetik dengan tata letak %q. Atur layout sesuai setelan pemindai.", layout),
		fmt.Sprintf("The scanner does not type in the layout %q. Set layout to what the scanner is set to.", layout))
}

func wrongLayout(id, en string) []devices.Diagnosis {
	return []devices.Diagnosis{{Code: devices.WrongLayout, Mending: true, ID: id, EN: en}}
}
