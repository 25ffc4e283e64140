package mrz

// latin is the table for Latin letters of Doc 9303-3 (eighth edition, 2021)
// section 6 A, capitals only: all of its 95 rows except those with a choice,
// which are in choices. Letters that it does not list lose their marks (Ơ
// becomes O).
//
// Not in that table but read the same way: ĸ, ŉ and the small ß, whose
// capital ẞ (1E9E) is listed; and Ș and Ț with a comma below, which Romanian
// writes and older fonts show as Ş and Ţ.
var latin = letterTable(map[string]string{
	"A": "ÀÁÂÃĀĂĄ", "AE": "Æ",
	"C": "ÇĆĈĊČ", "D": "ÐĎĐ", "E": "ÈÉÊËĒĔĖĘĚ",
	"G": "ĜĞĠĢ", "H": "ĤĦ", "I": "ÌÍÎÏĨĪĬĮİı", "IJ": "Ĳ",
	"J": "Ĵ", "K": "Ķĸ", "L": "ĹĻĽĿŁ", "N": "ŃŅŇŉŊ",
	"O": "ÒÓÔÕŌŎŐ", "OE": "Œ", "R": "ŔŖŘ", "S": "ŚŜŞŠȘ", "SS": "ßẞ",
	"T": "ŢŤŦȚ", "TH": "Þ", "U": "ÙÚÛŨŪŬŮŰŲ",
	"W": "Ŵ", "Y": "ÝŶŸ", "Z": "ŹŻŽ",
})
