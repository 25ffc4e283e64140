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
	{"two in envelopes", "\x02" + td3a + "\r" + td3b + "\r\x03K\x02" + td1a + "\r" + td1b + "\r" + td1c + "\r\x03", scans(td3, td1)},

	// Half swipes.
	{"line 1 only", td3a + "\r", scans(part(td3a))},
	{"line 2 only", td3b + "\r", scans(part(td3b))},
	{"half of line 1", td3a[:20], scans(part(td3a[:20]))},
	{"half of line 2", td3b[:24] + "\r", scans(part(td3b[:24]))},
	{"line 1 and half of line 2", td3a + "\r" + td3b[:30] + "\r", scans(part(td3a, td3b[:30]))},
	{"half of line 1 and line 2", td3a[20:] + "\r" + td3b + "\r", scans(part(td3a[20:], td3b))},
	{"one character missing", td3a[:43] + "\r" + td3b + "\r", scans(part(td3a[:43], td3b))},
	{"one character too many in line 2", td3a + "\r" + td3b + "7\r", scans(part(td3a, td3b+"7"))},
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

	// Unread characters.
	{"unread", unread(td3a, 7) + "\r" + unread(td3b, 3, 15) + "\r", scans(whole(unread(td3a, 7), unread(td3b, 3, 15)))},
	{"much unread", td3a + "\r" + unread(td3b, 0, 1, 2, 3, 4) + "\r", scans(part(td3a, unread(td3b, 0, 1, 2, 3, 4)))},
	{"nothing read", strings.Repeat("_", 44) + "\r" + strings.Repeat("_", 44) + "\r",
		scans(part(strings.Repeat("_", 44), strings.Repeat("_", 44)))},

	// Magnetic tracks.
	{"payment card", "%B4111111111111111^ERIKSSON/ANNA^2512101000000000?;4111111111111111=25121010000000000?\r", nil},
	{"payment card, end sentinels lost", "%B4111111111111111^ERIKSSON/ANNA^2512101000000000\r;4111111111111111=25121010000000000\r", nil},
	{"payment card, start sentinels lost", "B4111111111111111^ERIKSSON/ANNA^2512101000000000?4111111111111111=25121010000000000?\r", nil},
	{"words and a payment card", "MSR LINE 1:B4111111111111111^ERIKSSON/ANNA^2512101\rMSR LINE 2:4111111111111111=2512101\r", nil},
	{"licence", "%CADENVER^DOE$JOHN^1234 MAIN ST^?;6360150123456789=9912198012?", nil},
	{"a line of a zone in a track", "%" + td3a + "?\r", nil},
	{"a card number of a line's length", strings.Repeat("4111111111", 3) + "\r", nil},
	{"card, then passport", ";4111111111111111=2512101?\r" + td3a + "\r" + td3b + "\r", scans(td3)},
	{"passport, then card", td3a + "\r" + td3b + "\r%B4111111111111111^A/B^2512?\r", scans(td3)},
	{"card within a passport", td3a + "\r;4111111111111111=2512101?\r" + td3b + "\r", scans(td3)},
	{"a stray percent sign", "%" + td3a + "\r" + td3b + "\r", scans(td3)},
	{"a stray semicolon", "x;y " + td3a + "\r" + td3b + "\r", scans(td3)},
	{"a stray semicolon before the last line, no end", td3a + "\r;" + td3b, scans(td3)},
}
