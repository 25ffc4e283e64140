package specimen

import (
	"math/rand/v2"
	"strings"

	"lintas/mrz"
)

var (
	surnames = strings.Fields(`SUSANTO WIJAYA SIREGAR NASUTION HIDAYAT KUSUMAWARDHANI PUTRI SARI RAHMAWATI LESTARI SIMANJUNTAK HUTAPEA
		ERIKSSON MUELLER VAN-DER-BERG O'CONNOR GARCIA-LOPEZ NGUYEN OKONKWO FERNANDEZ SILVA KOWALSKI IVANOVA YILMAZ HADDAD AL-FARSI
		TANAKA KIM PARK ZHANG LI OUEDRAOGO BAKKER QUISPE XU JAAFAR WOJCIECHOWSKI DUBOIS FITZGERALD BJORKQVIST PAPADOPOULOS`)
	givens = strings.Fields(`ANNA MARIA SITI NURHALIZA AGUS BUDI DEWI EKA JOKO WAHYU RIZKY FITRIANI MUHAMMAD ABDUL YUSUF FATIMAH LARS ZOE
		QUENTIN XAVIER JEAN-LUC KATARZYNA OLGA BORIS VIKTOR GRACE HENRY IGNACIO WEN MING THUY HIROSHI DJAKARIA UWE`)
	states = strings.Fields(`IDN MYS SGP PHL D FRA GBR USA AUS NLD JPN KOR CHN IND SAU ARE HKG TWN BRN QAT POL SWE NOR FIN BRA ZAF NGA
		KEN TUR GRC ESP PRT ITA CHE BEL UTO VNM THA MMR KHM LAO BGD PAK LKA NPL NZL CAN MEX`)
)

// Formats are those that Zone makes, the national ones among them.
var Formats = []mrz.Format{mrz.TD1, mrz.TD2, mrz.TD3, mrz.MRVA, mrz.MRVB, mrz.FRID, mrz.CHDL}

// Holder invents the values of a document of a format of Doc 9303.
func Holder(r *rand.Rand, format mrz.Format) mrz.Fields {
	pick := func(list []string) string { return list[r.IntN(len(list))] }
	f := mrz.Fields{
		DocumentCode:   "P",
		IssuingState:   pick(states),
		Primary:        pick(surnames),
		Secondary:      pick(givens),
		DocumentNumber: serial(r),
		DateOfBirth:    mrz.Date{Year: 1940 + r.IntN(70), Month: 1 + r.IntN(12), Day: 1 + r.IntN(28)},
		DateOfExpiry:   mrz.Date{Year: 2024 + r.IntN(14), Month: 1 + r.IntN(12), Day: 1 + r.IntN(28)},
		Sex:            []string{"M", "F", ""}[min(r.IntN(9)/4, 2)],
	}
	f.Nationality = f.IssuingState
	if r.IntN(5) == 0 {
		f.Nationality = pick(states)
	}
	for range r.IntN(3) {
		f.Secondary += " " + pick(givens)
	}
	if r.IntN(6) == 0 {
		f.Primary += " " + pick(surnames)
	}
	switch format {
	case mrz.TD1, mrz.TD2:
		f.DocumentCode = []string{"I", "ID", "AC", "C", "IR"}[r.IntN(5)]
	case mrz.TD3:
		f.DocumentCode = []string{"P", "P", "P", "PD", "PO", "PA"}[r.IntN(6)]
	case mrz.MRVA, mrz.MRVB:
		f.DocumentCode = []string{"V", "VI", "VN"}[r.IntN(3)]
	}
	if r.IntN(2) == 0 {
		f.OptionalData = []string{characters(r, 1+r.IntN(7))}
		if format == mrz.TD1 && r.IntN(2) == 0 {
			f.OptionalData = append(f.OptionalData, characters(r, 1+r.IntN(11)))
		}
	}
	if (format == mrz.TD1 || format == mrz.TD2) && r.IntN(8) == 0 { // a number that goes on in the optional data
		f.DocumentNumber, f.OptionalData = characters(r, 10+r.IntN(3)), nil
	}
	return f
}

const alphanumerics = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"

func characters(r *rand.Rand, n int) string {
	b := make([]byte, n)
	for i := range b {
		b[i] = alphanumerics[r.IntN(len(alphanumerics))]
	}
	return string(b)
}

// serial invents a document number: mostly letters and then digits, now and
// then anything.
func serial(r *rand.Rand) string {
	letters, digits := r.IntN(4), 5+r.IntN(4)
	if r.IntN(5) == 0 {
		return characters(r, 7+r.IntN(3))
	}
	b := make([]byte, 0, 12)
	for range letters {
		b = append(b, byte('A'+r.IntN(26)))
	}
	for range digits {
		b = append(b, byte('0'+r.IntN(10)))
	}
	return string(b[:min(9, len(b))])
}

// Zone invents a holder and writes the zone of a document of any format.
func Zone(r *rand.Rand, format mrz.Format) []string {
	switch format {
	case mrz.FRID:
		return frenchZone(r)
	case mrz.CHDL:
		return swissZone(r)
	}
	for {
		if lines, err := Holder(r, format).Lines(format); err == nil {
			return lines
		}
	}
}

// pad writes text into a field of n cells.
func pad(text string, n int) string {
	text = strings.NewReplacer(" ", "<", "-", "<", "'", "").Replace(text)
	return (text + strings.Repeat("<", n))[:n]
}

func digit(s string) string {
	c, _ := mrz.CheckDigit(s)
	return string(rune(c))
}

func date(r *rand.Rand) string {
	return string([]byte{byte('0' + r.IntN(10)), byte('0' + r.IntN(10)), '0', byte('1' + r.IntN(9)), byte('0' + r.IntN(3)), byte('1' + r.IntN(8))})
}

// frenchZone writes the zone of a French identity card of the old kind.
func frenchZone(r *rand.Rand) []string {
	const decimals = "0123456789"
	number := date(r)[:4] + "7512"
	for range 4 {
		number += string(decimals[r.IntN(10)])
	}
	first := "IDFRA" + pad(surnames[r.IntN(len(surnames))], 25) + pad(number[4:7]+"1"+digit(number)+"2", 6)
	second := number + digit(number) + pad(givens[r.IntN(len(givens))]+"<<"+givens[r.IntN(len(givens))], 14)
	birth := date(r)
	second += birth + digit(birth) + []string{"M", "F"}[r.IntN(2)]
	return []string{first, second + digit(first+second)}
}

// swissZone writes the zone of a Swiss driving licence, which has no check
// digits.
func swissZone(r *rand.Rand) []string {
	const decimals = "0123456789"
	first := characters(r, 0)
	for range 3 {
		first += string(rune('A' + r.IntN(26)))
	}
	number := ""
	for range 3 {
		first += string(decimals[r.IntN(10)])
	}
	for range 12 {
		number += string(decimals[r.IntN(10)])
	}
	return []string{
		first + string("DFI"[r.IntN(3)]) + "<<",
		"FACHE" + number + "<<" + date(r) + "<<<<<",
		pad(surnames[r.IntN(len(surnames))]+"<<"+givens[r.IntN(len(givens))], 30),
	}
}
