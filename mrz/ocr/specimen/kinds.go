package specimen

import (
	"math"
	"math/rand/v2"
)

// A Kind is one kind of wear, with a name for tables.
type Kind struct {
	Name string
	Wear func(r *rand.Rand, faces []*Typeface) Wear
}

func between(r *rand.Rand, low, high float64) float64 { return low + (high-low)*r.Float64() }

func either(r *rand.Rand, low, high float64) float64 {
	v := between(r, low, high)
	if r.IntN(2) == 0 {
		return -v
	}
	return v
}

// plain is a good scan at 300 dots per inch by the standard's typeface.
func plain(faces []*Typeface) Wear {
	return Wear{Pitch: 30, Hand: Hand{Face: faces[0]}}
}

// Kinds are the kinds of wear that accuracy is told by.
var Kinds = []Kind{
	{"clean", func(r *rand.Rand, f []*Typeface) Wear { return plain(f) }},
	{"blur", func(r *rand.Rand, f []*Typeface) Wear {
		w := plain(f)
		w.Blur = between(r, 0.04, 0.12)
		return w
	}},
	{"noise", func(r *rand.Rand, f []*Typeface) Wear {
		w := plain(f)
		w.Noise, w.Speckle = between(r, 12, 45), between(r, 0, 0.01)
		return w
	}},
	{"jpeg40", func(r *rand.Rand, f []*Typeface) Wear {
		w := plain(f)
		w.JPEG = 20 + r.IntN(25)
		return w
	}},
	{"skew", func(r *rand.Rand, f []*Typeface) Wear {
		w := plain(f)
		w.Turn = either(r, 0.01, 0.21)
		return w
	}},
	{"low contrast", func(r *rand.Rand, f []*Typeface) Wear {
		w := plain(f)
		w.Paper = between(r, 120, 220)
		w.Ink = w.Paper - between(r, 25, 70)
		w.Noise = between(r, 0, 5)
		return w
	}},
	{"pattern", func(r *rand.Rand, f []*Typeface) Wear {
		w := plain(f)
		w.Pattern = between(r, 25, 130)
		return w
	}},
	{"dpi200", func(r *rand.Rand, f []*Typeface) Wear {
		w := plain(f)
		w.Pitch = between(r, 15, 20)
		return w
	}},
	{"perspective", func(r *rand.Rand, f []*Typeface) Wear {
		w := plain(f)
		w.KeystoneX, w.KeystoneY = either(r, 0, 0.2), either(r, 0, 0.5)
		w.Turn, w.Bend = either(r, 0, 0.05), either(r, 0, 0.5)
		return w
	}},
	{"ink", func(r *rand.Rand, f []*Typeface) Wear {
		w := plain(f)
		w.Hand.Bold = between(r, -0.045, 0.055)
		w.Uneven = between(r, 0, 0.7)
		w.Hand.Shake = between(r, 0, 0.03)
		return w
	}},
	{"gradient", func(r *rand.Rand, f []*Typeface) Wear {
		w := plain(f)
		w.Gradient = between(r, 0.3, 0.8)
		w.Glare = between(r, 0, 80)
		return w
	}},
	{"combo", func(r *rand.Rand, f []*Typeface) Wear {
		w := plain(f)
		w.Pitch = between(r, 18, 32)
		w.Paper = between(r, 170, 250)
		w.Ink = w.Paper - between(r, 70, 160)
		w.Blur, w.Noise = between(r, 0.02, 0.08), between(r, 2, 16)
		w.Turn, w.KeystoneY = either(r, 0, 0.08), either(r, 0, 0.2)
		w.Pattern, w.Gradient = between(r, 0, 45), between(r, 0, 0.4)
		w.Hand.Bold = between(r, -0.025, 0.035)
		w.JPEG = 35 + r.IntN(55)
		return w
	}},
}

// Wild is every kind of wear at once, each now and then, from 5 to 40 pixels to
// a cell and by printers that the standard would not know: what the trainer
// learns from.
func Wild(r *rand.Rand, faces []*Typeface) Wear {
	now := func(share float64, low, high float64) float64 {
		if r.Float64() < share {
			return between(r, low, high)
		}
		return 0
	}
	signed := func(share, high float64) float64 {
		if r.Float64() < share {
			return high * (2*r.Float64() - 1)
		}
		return 0
	}
	w := Wear{
		Pitch:     6 * math.Pow(6, r.Float64()),
		Spacing:   between(r, 1.7, 3),
		Turn:      signed(0.5, 0.2),
		KeystoneX: signed(0.3, 0.2),
		KeystoneY: signed(0.3, 0.4),
		Bend:      signed(0.2, 0.5),
		Paper:     between(r, 150, 255),
		Uneven:    now(0.3, 0, 0.7),
		Pattern:   now(0.5, 5, 110),
		Gradient:  now(0.3, 0, 0.6),
		Glare:     now(0.15, 10, 60),
		Blur:      now(0.5, 0.01, 0.13),
		Motion:    now(0.1, 0.05, 0.25),
		Noise:     now(0.5, 1, 25),
		Speckle:   now(0.1, 0, 0.01),
		Resample:  now(0.15, 1, 1.8),
		Bilevel:   r.IntN(12) == 0,
		JPEG:      int(now(0.6, 15, 95)),
	}
	w.Ink = max(0, w.Paper-between(r, 40, 250))
	if r.IntN(2) == 0 { // little wear is more usual than much
		for _, v := range []*float64{&w.Uneven, &w.Pattern, &w.Glare, &w.Blur, &w.Motion, &w.Noise, &w.Speckle} {
			*v *= 0.4
		}
	}
	w.Pattern *= (w.Paper - w.Ink) / 150
	w.Noise *= (w.Paper - w.Ink) / 150
	if w.Bilevel {
		w.Pattern *= 0.4
	}
	w.Hand = Hand{
		Face:   faces[[...]int{0, 0, 0, 0, 1, 2}[r.IntN(6)%len(faces)]],
		Width:  between(r, 0.85, 1.2),
		Height: between(r, 0.85, 1.2),
		Bold:   signed(0.6, 0.05),
		Slant:  signed(0.2, 0.12),
		Wobble: now(0.5, 0, 0.03),
		Shake:  now(0.3, 0, 0.03),
	}
	return w
}
