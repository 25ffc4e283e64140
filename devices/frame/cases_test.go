package frame_test

import (
	"strings"

	"lintas/devices"
)

// Specimens of Doc 9303, and one of the French card of 1988.
const (
	td3a = "P<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<"
	td3b = "L898902C36UTO7408122F1204159ZE184226B<<<<<10"

	// Another traveller, for swipes that follow each other.
	td3c = "P<UTOSURYATI<<SITI<NURHALIZA<<<<<<<<<<<<<<<<"
	td3d = "X1234567<4UTO9001015F3001012<<<<<<<<<<<<<<04"

	td1a = "I<UTOD231458907<<<<<<<<<<<<<<<"
	td1b = "7408122F1204159UTO<<<<<<<<<<<6"
	td1c = "ERIKSSON<<ANNA<MARIA<<<<<<<<<<"

	td2a = "I<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<"
	td2b = "D231458907UTO7408122F1204159<<<<<<<6"

	mrvAa = "V<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<"
	mrvAb = "L8988901C4XXX4009078F96121096ZE184226B<<<<<<"
	mrvBa = "V<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<"
	mrvBb = "L8988901C4XXX4009078F9612109<<<<<<<<"

	frIDa = "IDFRABERTHIER<<<<<<<<<<<<<<<<<<<<<<<"
	frIDb = "8806923102858CORINNE<<<<<<<6512068F6"

	// td3b with a digit of the document number misread.
	refuted = "L898902C46UTO7408122F1204159ZE184226B<<<<<10"

	licence1 = "AAA001D<<"
	licence2 = "FACHE305142128097<<800126<<<<<"
	licence3 = "MARCHAND<<FABIENNE<<<<<<<<<<<<"

	// A TD1 whose document number is blank.
	blank1 = "I<USA<<<<<<<<<<<<<<<<<<<<<<<<<"
	blank2 = "7607040F8107042USA<<<<<<<<<<<2"
	blank3 = "PUBLIC<<JANE<Q<<<<<<<<<<<<<<<<"
)

var (
	td3 = whole(td3a, td3b)
	// The same format, another document.
	td3Other = whole(td3c, td3d)
	td1      = whole(td1a, td1b, td1c)
	td2      = whole(td2a, td2b)
)

func whole(lines ...string) devices.Scan {
	return devices.Scan{Status: devices.Complete, Lines: lines}
}

func part(lines ...string) devices.Scan {
	return devices.Scan{Status: devices.Partial, Lines: lines}
}

func scans(s ...devices.Scan) []devices.Scan { return s }

// Boarding passes: the sample of IATA's guide, one with what airlines add, and
// one of two legs.
const (
	passOne  = "M1DESMARAIS/LUC       EABC123 YULFRAAC 0834 326J001A0025 100"
	passMore = "M1DESMARAIS/LUC       EABC123 YULFRAAC 0834 226F001A0025 14E" +
		">6181WW6225BAC 00141234560032A0141234567890 1AC AC 1234567890123    20KYLX58ZD"
	passTwo = "M2DESMARAIS/LUC       EABC123 YULFRAAC 0834 226F001A0025 12A>6181WW6225BAC 0014123456003" + "0CXXXXXXXXXXXX" +
		"DEF456 FRAGVALH 3664 227C012C0002 107" + "05ABCDE"
)

var (
	toFrankfurt     = pass(devices.Leg{Carrier: "AC", Flight: "834", From: "YUL", To: "FRA", Day: 326})
	toFrankfurtMore = pass(devices.Leg{Carrier: "AC", Flight: "834", From: "YUL", To: "FRA", Day: 226})
	toGeneva        = pass(devices.Leg{Carrier: "AC", Flight: "834", From: "YUL", To: "FRA", Day: 226},
		devices.Leg{Carrier: "LH", Flight: "3664", From: "FRA", To: "GVA", Day: 227})
)

func pass(legs ...devices.Leg) devices.Scan {
	return devices.Scan{Status: devices.Pass, Pass: &devices.BoardingPass{Legs: legs}}
}

func barcode(kind string) devices.Scan { return devices.Scan{Status: devices.Barcode, Kind: kind} }

// cases are streams without a silence in them, except at the end. The tests of
// how bytes are cut, and the fuzz test, use them too.
var cases = []struct {
	name string
	in   string
	want []devices.Scan
}{
	// Line ends.
	{"CR", td3a + "\r" + td3b + "\r", scans(td3)},
	{"LF", td3a + "\n" + td3b + "\n", scans(td3)},
	{"CRLF", td3a + "\r\n" + td3b + "\r\n", scans(td3)},
	{"LFCR", td3a + "\n\r" + td3b + "\n\r", scans(td3)},
	{"blank lines", "\r\r" + td3a + "\r\r" + td3b + "\r\r\r", scans(td3)},
	{"tabs", td3a + "\t" + td3b + "\t", scans(td3)},
	{"no final end", td3a + "\r" + td3b, scans(td3)},
	{"no separators 88", td3a + td3b, scans(td3)},
	{"no separators after a stray sentinel", "%" + td3a + td3b + "\r", scans(td3)},
	{"no separators after another, and silence", ";" + td3a + td3b, scans(td3)},
	{"no separators 90", td1a + td1b + td1c, scans(td1)},
	{"no separators 72", td2a + td2b, scans(td2)},
	{"no separators but an end", td1a + td1b + td1c + "\r", scans(td1)},

	// Formats.
	{"TD1", td1a + "\r" + td1b + "\r" + td1c + "\r", scans(td1)},
	{"TD2", td2a + "\r" + td2b + "\r", scans(td2)},
	{"MRV-A", mrvAa + "\r" + mrvAb + "\r", scans(whole(mrvAa, mrvAb))},
	{"MRV-B", mrvBa + "\r" + mrvBb + "\r", scans(whole(mrvBa, mrvBb))},
	{"MRV-B no separators", mrvBa + mrvBb, scans(whole(mrvBa, mrvBb))},
	{"French card", frIDa + "\r" + frIDb + "\r", scans(whole(frIDa, frIDb))},
	{"TD1 without a number", blank1 + "\r" + blank2 + "\r" + blank3 + "\r", scans(whole(blank1, blank2, blank3))},

	{"Swiss licence", licence1 + "\r" + licence2 + "\r" + licence3 + "\r", scans(whole(licence1, licence2, licence3))},
	{"Swiss licence, no final end", licence1 + "\r\n" + licence2 + "\r\n" + licence3, scans(whole(licence1, licence2, licence3))},
	{"Swiss licence, no separators", licence1 + licence2 + licence3, scans(whole(licence1, licence2, licence3))},
	{"Swiss licence without its end", licence1 + "\r" + licence2 + "\r", scans(part(licence1, licence2))},
	{"head of a Swiss licence", licence1 + "\r", nil},
	{"head of a Swiss licence, then a passport", licence1 + "\r" + td3a + "\r" + td3b + "\r", scans(td3)},

	// Envelopes as scanners send them.
	{"STX ETX", "\x02" + td3a + "\r" + td3b + "\r\x03", scans(td3)},
	{"STX ETX and a checksum that is a letter", "\x02" + td3a + "\r" + td3b + "\r\x03X", scans(td3)},
	{"start and end of data", "\x82\x02" + td3a + "\r" + td3b + "\x03\x83", scans(td3)},
	{"length, type, flag, passport in the lower lines", "\x01\x5c\x00OU\x020\r" + td3a + "\r" + td3b + "\r\x03Q", scans(td3)},
	{"flag before a card's line 1", "\x01\x60\x00OU\x020" + td1a + "\r" + td1b + "\r" + td1c + "\r\x03Q", scans(td1)},
	{"tag and length whose low byte is a letter", "I\x00Z" + td3a + "\r" + td3b + "\r", scans(td3)},
	{"tag, length, no separators", "I\x00Z" + td1a + td1b + td1c, scans(td1)},
	{"AIM identifier", "]o2" + td3a + "\r" + td3b + "\r", scans(td3)},
	{"three letters before line 1", "XYZ" + td3a + "\r" + td3b + "\r", scans(td3)},
	{"two letters before 88 make 90", "XA" + td3a + td3b, scans(td3)},
	{"words", "START\rOCR LINE 1: " + td3a + "\rOCR LINE 2: " + td3b + "\rOCR LINE 3:\rMSR LINE 1:\rEND\r", scans(td3)},
	{"dollar and hash", "$" + td3a + "\r" + td3b + "#", scans(td3)},

	// Garbage.
	{"noise before", "\x00\xff~~hello\x7f" + td3a + "\r" + td3b + "\r", scans(td3)},
	{"noise between", td3a + "\r\xfe\xfd SOME-THING \x00" + td3b + "\r", scans(td3)},
	{"noise after", td3a + "\r" + td3b + "\rgoodbye\xff\xff", scans(td3)},
	{"noise after without an end", td3a + "\r" + td3b + "\xff\xff", scans(td3)},
	{"only noise", "hello WORLD 123 <<< \xff\x00", nil},
	{"a long word", "ABCDEFGHIJKLMNOPQRSTUVWXYZ\r", nil},
	{"an endless line", strings.Repeat("A", 250) + "\r" + td3a + "\r" + td3b + "\r", scans(td3)},
	{"lower case", strings.ToLower(td3a+"\r"+td3b) + "\r", nil},

	{"letter glued before line 2", td3a + "\r\xfeQ" + td3b + "\r", scans(td3)},
	{"letters glued before line 2 of three", td1a + "\r7A" + td1b + "\r" + td1c + "\r", scans(td1)},
	{"letters glued behind line 2", td3a + "\r" + td3b + "XK9\xff", scans(td3)},
	{"letters glued before line 2 that prove nothing", td3a + "\rQ" + refuted + "\r", scans(part(td3a, "Q"+refuted))},
	{"letters without end behind line 2", td3a + "\r" + td3b + strings.Repeat("A", 2000) + "\r", scans(td3)},
	{"letters without end before line 1", strings.Repeat("A", 2000) + td3a + "\r" + td3b + "\r", scans(td3)},
	{"a word glued before line 1", "PASSPORT" + td3a + "\r" + td3b + "\r", scans(td3)},

	// Several documents.
	{"two merged", td3a + "\r" + td3b + "\r" + td3c + "\r" + td3d + "\r", scans(td3, td3Other)},
	{"two merged, no final ends", td3a + "\r" + td3b + td3c + "\r" + td3d, scans(td3, td3Other)},
	{"two merged, no separators", td3a + td3b + td3c + td3d, scans(td3, td3Other)},
	{"the same twice", td3a + "\r" + td3b + "\r" + td3a + "\r" + td3b + "\r", scans(td3, td3)},
	{"TD1 then TD3", td1a + "\r" + td1b + "\r" + td1c + "\r" + td3a + "\r" + td3b + "\r", scans(td1, td3)},
	{"TD1 then TD3, no final ends", td1a + "\r" + td1b + "\r" + td1c + td3a + "\r" + td3b, scans(td1, td3)},
	{"TD3 then TD1, no final ends", td3a + "\r" + td3b + td1a + "\r" + td1b + "\r" + td1c, scans(td3, td1)},
	{"TD2 then TD1, no separators", td2a + td2b + td1a + td1b + td1c, scans(td2, td1)},
	{"the longest run", "XYZ" + td1a + td1b + td1c + td1a + td1b + td1c + "\r", scans(td1, td1)},
	{"many merged, no separators", strings.Repeat(td3a+td3b+td1a+td1b+td1c, 5), scans(td3, td1, td3, td1, td3, td1, td3, td1, td3, td1)},
	{"half glued before a whole one", td3c[:23] + td3a + "\r" + td3b + "\r", scans(part(td3c[:23]), td3)},
	{"half a second glued behind", td3a + "\r" + td3b + td3c[:23], scans(td3, part(td3c[:23]))},
	{"half a card glued behind a card", td1a + "\r" + td1b + "\r" + td1c + td1a[:20], scans(td1, part(td1a[:20]))},
	{"line 1 and half of line 2 glued before a whole one", td3c + "\r" + td3d[:20] + td3a + "\r" + td3b + "\r", scans(part(td3c, td3d[:20]), td3)},
	{"half that could begin a longer line glued before a whole one", "P<GBRCONTOH<<PUTU<CICI<MSRI<<" + td2a + "\r" + td2b + "\r",
		scans(part("P<GBRCONTOH<<PUTU<CICI<MSRI<<"), td2)},
	{"half and a first line, as long as a longer first line", "P<MYSEND" + td2a + "\r" + td2b + "\r", scans(td2)},
	{"half and a first line of three, as long as a longer first line", "P<MYSENDANG<<A" + td1a + "\r" + td1b + "\r" + td1c + "\r",
		scans(part("P<MYSENDANG<<A"), td1)},
	{"half and a first line, as long as three lines", td1a + td1b[:24] + td2a + "\r" + td2b + "\r", scans(part(td1a+td1b[:24]), td2)},
	{"half and a first line, as long as a second line", mrvAa + "\r" + td3d[:14] + td1a + "\r" + td1b + "\r" + td1c + "\r",
		scans(part(mrvAa, td3d[:14]), td1)},
	{"half glued before a whole one, no separators", td3d[5:30] + td3a + td3b, scans(part(td3d[5:30]), td3)},
	{"two in envelopes", "\x02" + td3a + "\r" + td3b + "\r\x03K\x02" + td1a + "\r" + td1b + "\r" + td1c + "\r\x03", scans(td3, td1)},

	// Half swipes.
	{"line 1 only", td3a + "\r", scans(part(td3a))},
	{"line 2 only", td3b + "\r", scans(part(td3b))},
	{"half of line 1", td3a[:20], scans(part(td3a[:20]))},
	{"half of line 2", td3b[:24] + "\r", scans(part(td3b[:24]))},
	{"line 1 and half of line 2", td3a + "\r" + td3b[:30] + "\r", scans(part(td3a, td3b[:30]))},
	{"half of line 1 and line 2", td3a[20:] + "\r" + td3b + "\r", scans(part(td3a[20:], td3b))},
	{"one character missing", td3a[:43] + "\r" + td3b + "\r", scans(part(td3a[:43], td3b))},
	{"one character too many in line 2, which proves nothing", td3a + "\r" + refuted + "7\r", scans(part(td3a, refuted+"7"))},
	{"one character too few in line 2, and noise", td3a + "\r" + td3b[:43] + "\r", scans(part(td3a, td3b[:43]))},
	{"broken inside a line", td3a[:20] + "\xff" + td3a[21:] + "\r" + td3b + "\r", scans(part(td3a[:20], td3a[21:], td3b))},
	{"88 less one", td3a + td3b[1:], scans(part(td3a + td3b[1:]))},
	{"two lines of three", td1a + "\r" + td1b + "\r", scans(part(td1a, td1b))},
	{"line 2 of three missing", td1a + "\r" + td1c + "\r", scans(part(td1a, td1c))},
	{"too short to tell", "P<UTO\r", nil},
	{"half, then whole", td3a[:25] + "\r" + td3a + "\r" + td3b + "\r", scans(part(td3a[:25]), td3)},
	{"line 1, then whole", td3a + "\r" + td3a + "\r" + td3b + "\r", scans(part(td3a), td3)},
	{"line 2, then whole", td3b + "\r" + td3a + "\r" + td3b + "\r", scans(part(td3b), td3)},
	{"TD1 half, then TD3", td1a + "\r" + td1b + "\r" + td3a + "\r" + td3b + "\r", scans(part(td1a, td1b), td3)},
	{"never across a cut line: first without second, half, second", td3a + "\r" + td3d[:30] + "\r" + td3c[10:] + "\r" + td3b + "\r",
		scans(part(td3a, td3d[:30], td3c[10:]))},
	{"first lines of two travellers", td3a + "\r" + td3c + "\r" + td3d + "\r", scans(part(td3a), td3Other)},

	{"lines of two travellers in two envelopes", "\x02" + td3a + "\r\r\x03\x02\r" + td3d + "\r\x03", scans(part(td3a), part(td3d))},
	{"lines of two travellers after two headings", "\x01\x5c\x00OU\x020\r" + td3a + "\r\r\x03Q\x01\x5c\x00OU\x020\r\r" + td3d + "\r\x03Q", scans(part(td3a), part(td3d))},
	{"lines of two travellers in two texts", "START\rOCR LINE 1: " + td3a + "\rOCR LINE 2:\rOCR LINE 3:\rEND\rSTART\rOCR LINE 1:\rOCR LINE 2: " + td3d + "\rOCR LINE 3:\rEND\r",
		scans(part(td3a), part(td3d))},

	// Unread characters.
	{"unread", unread(td3a, 7) + "\r" + unread(td3b, 3, 15) + "\r", scans(whole(unread(td3a, 7), unread(td3b, 3, 15)))},
	{"unread as stars", strings.ReplaceAll(unread(td3a, 7)+"\r"+unread(td3b, 3, 15), "_", "*") + "\r", scans(whole(unread(td3a, 7), unread(td3b, 3, 15)))},
	{"unread as question marks", strings.ReplaceAll(unread(td3a, 0, 43)+"\r"+unread(td3b, 0, 43), "_", "?") + "\r", scans(whole(unread(td3a, 0, 43), unread(td3b, 0, 43)))},
	{"unread in the State behind a flag", "0" + unread(td1a, 3) + "\r" + td1b + "\r" + td1c + "\r", scans(whole(unread(td1a, 3), td1b, td1c))},
	{"filled up to 44", td1a + strings.Repeat("_", 14) + "\r" + td1b + strings.Repeat("_", 14) + "\r" + td1c + strings.Repeat("_", 14) + "\r", scans(td1)},
	{"filled up from 36", td2a + strings.Repeat("_", 8) + "\r" + td2b + strings.Repeat("_", 8) + "\r", scans(td2)},
	{"the end of both lines unread", td3a[:33] + strings.Repeat("_", 11) + "\r" + td3b[:33] + strings.Repeat("_", 11) + "\r",
		scans(part(td3a[:33]+"___", td3b[:33]+"___"))},
	{"much unread", td3a + "\r" + unread(td3b, 0, 1, 2, 3, 4) + "\r", scans(part(td3a, unread(td3b, 0, 1, 2, 3, 4)))},
	{"nothing read", strings.Repeat("_", 44) + "\r" + strings.Repeat("_", 44) + "\r",
		scans(part(strings.Repeat("_", 44), strings.Repeat("_", 44)))},

	// Boarding passes and other barcodes.
	{"boarding pass", passOne + "\r", scans(toFrankfurt)},
	{"boarding pass, no end", passOne, scans(toFrankfurt)},
	{"boarding pass behind an identifier", "]L2" + passOne + "\r", scans(toFrankfurt)},
	{"boarding pass as Aztec", "]z3" + passOne + "\r\n", scans(toFrankfurt)},
	{"boarding pass with more", passMore + "\r", scans(toFrankfurtMore)},
	{"boarding pass with a signature", passMore + "^108ABCDEFGH\r", scans(toFrankfurtMore)},
	{"boarding pass with a broken signature", passMore + "^1FFABCDEFGH\r" + td3a + "\r" + td3b + "\r", scans(toFrankfurtMore, td3)},
	{"boarding pass of two legs", passTwo + "\r", scans(toGeneva)},
	{"two boarding passes", passOne + "\r" + passTwo + "\r", scans(toFrankfurt, toGeneva)},
	{"two boarding passes, glued", passMore + passTwo, scans(toFrankfurtMore, toGeneva)},
	{"half a boarding pass, then a whole one", passOne[:40] + "\r" + passOne + "\r", scans(toFrankfurt)},
	{"half a boarding pass, then a passport", passOne[:50] + "\r" + td3a + "\r" + td3b + "\r", scans(td3)},
	{"half a boarding pass glued to a passport", passOne[:30] + td3a + "\r" + td3b + "\r", scans(td3)},
	{"boarding pass glued before a passport", passOne + td3a + "\r" + td3b + "\r", scans(toFrankfurt, td3)},
	{"boarding pass glued behind a passport", td3a + "\r" + td3b + passOne + "\r", scans(td3, toFrankfurt)},
	{"boarding pass glued behind a card", td1a + "\r" + td1b + "\r" + td1c + passOne + "\r", scans(td1, toFrankfurt)},
	{"boarding pass within a passport", td3a + "\r" + passOne + "\r" + td3b + "\r", scans(toFrankfurt, td3)},
	{"a size that is too long", passOne[:58] + "FF" + "\r" + td3a + "\r" + td3b + "\r", scans(td3)},
	{"a size that is none", passOne[:58] + "G0" + "\r", nil},
	{"a document number that begins like a pass", td3a + "\r" + "M1ABCDEF" + td3b[8:] + "\r", scans(whole(td3a, "M1ABCDEF"+td3b[8:]))},
	{"QR code", "]Q1https://example.org/?a=1%20;b\r", scans(barcode("QR code"))},
	{"EAN", "]E04006381333931\r", scans(barcode("EAN"))},
	{"EAN, no end", "]E04006381333931", scans(barcode("EAN"))},
	{"EAN without an identifier", "4006381333931\r", nil},
	{"a web address without an identifier", "https://example.org/check?id=ABCDEFGHIJKLMNOP\r", nil},
	{"an identifier before a zone", "]L0" + td3a + "\r" + td3b + "\r", scans(td3)},
	{"an identifier without a code", "]Q1\r" + td3a + "\r" + td3b + "\r", scans(td3)},
	{"a code with other bytes in it", "]C1ABC\xffDEF\r", nil},
	{"a code, then a passport", "]C1ABC12345\r" + td3a + "\r" + td3b + "\r", scans(barcode("Code 128"), td3)},

	// Magnetic tracks.
	{"end of a track that has lost its beginning", "B4111111111111111?4111111111111111\r", nil},
	{"payment card", "%B4111111111111111^ERIKSSON/ANNA^2512101000000000?;4111111111111111=25121010000000000?\r", nil},
	{"payment card, end sentinels lost", "%B4111111111111111^ERIKSSON/ANNA^2512101000000000\r;4111111111111111=25121010000000000\r", nil},
	{"payment card, start sentinels lost", "B4111111111111111^ERIKSSON/ANNA^2512101000000000?4111111111111111=25121010000000000?\r", nil},
	{"words and a payment card", "MSR LINE 1:B4111111111111111^ERIKSSON/ANNA^2512101\rMSR LINE 2:4111111111111111=2512101\r", nil},
	{"licence", "%CADENVER^DOE$JOHN^1234 MAIN ST^?;6360150123456789=9912198012?", nil},
	{"card with a bit of its separator flipped", "x;4111111111111111<25121010000000000?\r", nil},
	{"card with a bit of its number flipped", "%B<111111111111111^ERIKSSON/ANNA^2512101000000000?\r", nil},
	{"a stray sentinel before no separators", "; " + td1a + td1b + td1c + "]o2" + td3a + "\r" + td3b + "\r", scans(td1, td3)},
	{"a stray sentinel before unread characters", "%" + strings.ReplaceAll(unread(td3a, 30), "_", "?") + "\r" + td3b, scans(whole(unread(td3a, 30), td3b))},
	{"lines of a zone as tracks", "%" + td3a + "?\r;" + td3b + "?\r", scans(td3)},
	{"a stray sentinel before a line with unread characters", "%" + strings.ReplaceAll(unread(td3a, 30, 41), "_", "?") + "\r" + td3b + "\r", scans(whole(unread(td3a, 30, 41), td3b))},
	{"a card number of a line's length", strings.Repeat("4111111111", 3) + "\r", nil},
	{"card, then passport", ";4111111111111111=2512101?\r" + td3a + "\r" + td3b + "\r", scans(td3)},
	{"passport, then card", td3a + "\r" + td3b + "\r%B4111111111111111^A/B^2512?\r", scans(td3)},
	{"card within a passport", td3a + "\r;4111111111111111=2512101?\r" + td3b + "\r", scans(td3)},
	{"a stray percent sign", "%" + td3a + "\r" + td3b + "\r", scans(td3)},
	{"a stray semicolon", "x;y " + td3a + "\r" + td3b + "\r", scans(td3)},
	{"a stray semicolon before the last line, no end", td3a + "\r;" + td3b, scans(td3)},
}
