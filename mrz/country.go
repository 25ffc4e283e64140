package mrz

import "strings"

// iso3166 lists the codes of ISO 3166-1 alpha-3, which Doc 9303-3 section 5
// takes for issuing states and nationalities.
const iso3166 = `
ABW AFG AGO AIA ALA ALB AND ARE ARG ARM ASM ATA ATF ATG AUS AUT AZE
BDI BEL BEN BES BFA BGD BGR BHR BHS BIH BLM BLR BLZ BMU BOL BRA BRB BRN BTN BVT BWA
CAF CAN CCK CHE CHL CHN CIV CMR COD COG COK COL COM CPV CRI CUB CUW CXR CYM CYP CZE
DEU DJI DMA DNK DOM DZA ECU EGY ERI ESH ESP EST ETH FIN FJI FLK FRA FRO FSM
GAB GBR GEO GGY GHA GIB GIN GLP GMB GNB GNQ GRC GRD GRL GTM GUF GUM GUY
HKG HMD HND HRV HTI HUN IDN IMN IND IOT IRL IRN IRQ ISL ISR ITA JAM JEY JOR JPN
KAZ KEN KGZ KHM KIR KNA KOR KWT LAO LBN LBR LBY LCA LIE LKA LSO LTU LUX LVA
MAC MAF MAR MCO MDA MDG MDV MEX MHL MKD MLI MLT MMR MNE MNG MNP MOZ MRT MSR MTQ MUS MWI MYS MYT
NAM NCL NER NFK NGA NIC NIU NLD NOR NPL NRU NZL OMN
PAK PAN PCN PER PHL PLW PNG POL PRI PRK PRT PRY PSE PYF QAT REU ROU RUS RWA
SAU SDN SEN SGP SGS SHN SJM SLB SLE SLV SMR SOM SPM SRB SSD STP SUR SVK SVN SWE SWZ SXM SYC SYR
TCA TCD TGO THA TJK TKL TKM TLS TON TTO TUN TUR TUV TWN TZA
UGA UKR UMI URY USA UZB VAT VCT VEN VGB VIR VNM VUT WLF WSM YEM ZAF ZMB ZWE
`

// icaoCodes lists the codes that Doc 9303-3 section 5 adds to them: holders of
// British papers without the right of abode, the European Union, international
// organisations, persons without a nationality, Kosovo (of whose three codes only
// RKS is ICAO's), the Neutral Zone and the Netherlands Antilles, which the
// standard keeps, its Utopia, and ICAO itself.
const icaoCodes = `
GBD GBN GBO GBP GBS
EUE UNO UNA UNK
XBA XIM XCC XCE XCO XEC XES XMP XOM XPO XDC
XXA XXB XXC XXX
RKS XKX XXK
NTZ ANT
UTO IAO
`

// withdrawn lists codes of States that are no more, or are called otherwise.
// Old records have them, and so have old papers that somebody presents.
const withdrawn = `
BUR CSK DDR ROM SCG SUN TMP YMD YUG ZAR
`

// knownStates has one bit for each known code of three letters.
var knownStates = func() (bits [(26*26*26 + 63) / 64]uint64) {
	for _, code := range strings.Fields(iso3166 + icaoCodes + withdrawn) {
		if n, ok := stateNumber(code); ok {
			bits[n/64] |= 1 << (n % 64)
		}
	}
	return bits
}()

// stateNumber numbers codes of three letters from 0.
func stateNumber(code string) (int, bool) {
	if len(code) != 3 {
		return 0, false
	}
	a, b, c := code[0]-'A', code[1]-'A', code[2]-'A'
	return (int(a)*26+int(b))*26 + int(c), a < 26 && b < 26 && c < 26
}

// KnownState reports whether code, without fillers, is one of ISO 3166-1
// alpha-3 or of Doc 9303-3 section 5, or was once. The lists age: a code that
// is not known is a reason to look, not to reject.
func KnownState(code string) bool {
	if code == "D" { // Germany's code has one letter
		return true
	}
	n, ok := stateNumber(code)
	return ok && knownStates[uint(n)/64]&(1<<(uint(n)%64)) != 0
}
