package ocr

import (
	"cmp"
	"context"
	"image"
	"math"
	"slices"
	"strings"

	"lintas/mrz"
	"lintas/mrz/ocr/glyph"
)

const (
	searchSide  = 2000 // pixels of the long side at which zones are looked for first
	finestSide  = 4400 // and at which they are looked for at all
	enlargeSide = 1000 // a smaller picture is also looked at enlarged
)

func newReader(p glyph.Plane) *reader {
	return &reader{net: glyph.Trained(), levels: newPyramid(p), trace: new(glyph.Trace)}
}

// A find is a zone that was found.
type find struct {
	reading reading
	format  mrz.Format // mrz's opinion, where formats share a shape
	lines   []string
	valid   bool
	sure    float64 // of the least certain character
	rank    float64
	rows    []line // one for each line, its first cell being cell 0
}

// A view is the picture, or a part of it, at one scale at which lines are looked
// for, those whose pitch is from least to most pixels of the view.
type view struct {
	plane       glyph.Plane
	scale       float64 // pixels of the picture to one of the view
	least, most float64
	from        image.Point // where the part begins, in pixels of the view
}

// views lists the scales, the most promising first.
func (r *reader) views() (list []view) {
	level := 0
	side := func(i int) int { return max(r.levels[i].W, r.levels[i].H) }
	for side(level) > searchSide && level < len(r.levels)-1 {
		level++
	}
	scale := float64(int(1) << level)
	list = append(list, view{plane: r.levels[level], scale: scale, most: 100})
	// What is seen well at one scale need not be looked at again at another.
	const small, large = 11, 9
	if level > 0 && side(level-1) <= finestSide {
		list = append(list, view{plane: r.levels[level-1], scale: scale / 2, most: 2 * small})
	}
	if level == 0 && side(0) <= enlargeSide {
		twice := enlarge(r.levels[0])
		list = append(list, view{plane: twice, scale: 0.5, most: 4 * small})
		if side(0) <= enlargeSide/2 {
			list = append(list, view{plane: enlarge(twice), scale: 0.25, most: 4 * small})
		}
	}
	if level+1 < len(r.levels) {
		list = append(list, view{plane: r.levels[level+1], scale: scale * 2, least: large, most: 100})
	}
	return list
}

// search looks for zones at one scale after the other until all that there are
// signs of are read without doubt. Of a large picture everything is looked at
// once, and then only what was not seen clearly.
func (r *reader) search(ctx context.Context) (found []find, err error) {
	size := image.Pt(r.levels[0].W, r.levels[0].H)
	part := image.Rectangle{Max: size}
	for i, v := range r.views() {
		v = v.cut(part)
		for j, k := range inkings {
			ink := k.ink(v.plane)
			more, rows, err := r.inView(ctx, v, ink)
			if err != nil {
				return nil, err
			}
			found = merge(found, more)
			if len(found) > 0 && !slices.ContainsFunc(found, func(f find) bool { return !f.certain() }) && !leftOver(rows, found) {
				return found, nil
			}
			if i == 0 && j == 0 && max(size.X, size.Y) > clearFromSide {
				if part = v.unclear(ink, found).Intersect(part); part.Empty() {
					return found, nil
				}
				v = v.cut(part)
			}
		}
	}
	return found, nil
}

// certain reports whether a zone is read so well that another look would not
// change it. It need not be valid: what is printed may be wrong.
func (f *find) certain() bool {
	return len(f.reading.repairs) == 0 && (f.sure >= Floor || f.valid && f.sure > 0.5 && f.reading.score > -0.04)
}

// leftOver reports whether there is a long row of clear characters that is in
// none of the zones found: it may belong to another zone, of which more is seen
// elsewhere.
func leftOver(rows []row, found []find) bool {
	const long, clear = 20, 0.8
	return slices.ContainsFunc(rows, func(w row) bool {
		if w.members < long || w.clearness() < clear {
			return false
		}
		t := float64(w.from+w.to) / 2
		middle := image.Pt(round(w.x.at(t)), round(w.y.at(t)))
		return !slices.ContainsFunc(found, func(f find) bool { return middle.In(f.bounds()) })
	})
}

// inView looks for zones in the ink of a view, and returns also the rows that it
// saw.
func (r *reader) inView(ctx context.Context, v view, ink []uint8) (found []find, rows []row, err error) {
	list := v.blobs(ink)
	if len(list) < leastMembers {
		return nil, nil, context.Cause(ctx)
	}
	f := newField(list, 16*v.scale, float64(v.from.X+v.plane.W)*v.scale, float64(v.from.Y+v.plane.H)*v.scale)
	lines := slices.DeleteFunc(append(f.lines(true), f.lines(false)...), func(l line) bool {
		pitch := l.pitch(float64(l.from+l.to)/2) / v.scale
		return pitch < v.least || pitch > v.most
	})
	if rows, err = r.rows(ctx, lines); err != nil {
		return nil, nil, err
	}
	for _, c := range r.groups(rows) {
		if err := ctx.Err(); err != nil {
			return nil, nil, context.Cause(ctx)
		}
		r.complete(&c)
		found = append(found, r.zones(&c)...)
	}
	return found, rows, nil
}

const (
	leastWindow  = 0.8 // mean evidence for characters in a window
	mostWindows  = 6
	mostHopes    = 2 // windows that are looked at closely
	windowWeight = 0.4
	validBonus   = 0.5
	otherFormat  = 0.1   // is how much worse a reading is that mrz takes for another format than it was read by
	leastValid   = -0.8  // mean logarithm of probability of the characters of a valid zone
	leastInvalid = -0.35 // and of one that is not
)

// zones reads a candidate: the best zone, and those in the rows above and
// below it.
func (r *reader) zones(c *candidate) (found []find) {
	if len(c.rows) < 2 {
		return nil
	}
	// The rows' own looks say which windows are worth another one.
	var hopes []hope
	for i, w := range c.windows() {
		if i >= mostWindows || w.score < leastWindow {
			break
		}
		if f, ok := r.decode(w, c.rowsOf(w), func(row int, l *line, t float64, out *glyph.Look) {
			if seen := c.rows[w.row+row].at(w.cell + int(t)); seen != nil {
				*out = *seen
			} else {
				r.look(l, t, out)
			}
		}); ok {
			hopes = append(hopes, hope{w, f.rank})
		}
	}
	slices.SortStableFunc(hopes, func(a, b hope) int { return cmp.Compare(b.rank, a.rank) })
	for _, h := range hopes[:min(len(hopes), mostHopes)] {
		rows := c.rowsOf(h.window)
		lean(rows)
		best, ok := r.decode(h.window, rows, func(_ int, l *line, t float64, out *glyph.Look) { r.lookTwice(l, t, out) })
		if !ok || !best.plausible() {
			continue
		}
		above, under := candidate{c.rows[:h.row]}, candidate{c.rows[h.row+len(h.shape):]}
		found = append(r.zones(&above), best)
		return append(found, r.zones(&under)...)
	}
	return nil
}

// A hope is a window and how good a zone it seems to be.
type hope struct {
	window
	rank float64
}

// rowsOf returns a window's lines, counted from its first cell.
func (c *candidate) rowsOf(w window) []line {
	rows := make([]line, len(w.shape))
	for i := range rows {
		rows[i] = c.rows[w.row+i].line.shifted(w.cell)
		rows[i].from, rows[i].to = 0, w.shape[i]-1
	}
	return rows
}

// decode reads what stands in a window by each format of its shape, and returns
// the best reading. Each cell is looked at by look.
func (r *reader) decode(w window, rows []line, look func(row int, l *line, t float64, out *glyph.Look)) (best find, ok bool) {
	looks := make([]*glyph.Look, 0, w.size())
	for i := range rows {
		for t := range w.shape[i] {
			out := new(glyph.Look)
			look(i, &rows[i], float64(t), out)
			looks = append(looks, out)
		}
	}
	for _, g := range grids() {
		if !slices.Equal(g.widths, []int(w.shape)) {
			continue
		}
		f := find{reading: g.decode(looks), rows: rows}
		f.lines = f.reading.lines()
		doc := mrz.Parse(f.lines, mrz.Date{})
		f.format, f.valid, f.sure = doc.Format, doc.Valid, slices.Min(f.reading.sure)
		f.rank = f.reading.score + windowWeight*w.score
		if f.valid && !f.reading.vague {
			f.rank += validBonus
		}
		if f.format != g.format {
			f.rank -= otherFormat
		}
		if f.format == "" {
			continue
		}
		if best.lines == nil || f.rank > best.rank {
			best = f
		}
	}
	return best, best.lines != nil
}

// lean makes glyphs lean as the zone does: its rows begin below each other.
func lean(rows []line) {
	last := &rows[len(rows)-1]
	first := &rows[0]
	t := float64(min(first.to, last.to)) / 2
	dx, dy := last.x.at(t)-first.x.at(t), last.y.at(t)-first.y.at(t)
	ux, uy := first.along(t)
	down := dy*ux - dx*uy
	if down <= 0 {
		return
	}
	lean := (dx*ux + dy*uy) / down
	if math.Abs(lean) > 0.35 {
		return
	}
	for i := range rows {
		rows[i].slant = lean * rows[i].ratio
	}
}

// plausible reports whether a text is clear enough to be taken for a zone.
func (f *find) plausible() bool {
	text := strings.Join(f.lines, "")
	if strings.Count(text, "<") < 3 {
		return false
	}
	if f.valid && f.format != mrz.CHDL {
		return f.reading.score > leastValid
	}
	return f.reading.score > leastInvalid
}

// merge puts the zones of two searches together: of two in the same place the
// better one stays.
func merge(found, more []find) []find {
	for _, m := range more {
		same := slices.IndexFunc(found, func(f find) bool { return f.covers(&m) || m.covers(&f) })
		switch {
		case same < 0:
			found = append(found, m)
		case m.rank > found[same].rank:
			found[same] = m
		}
	}
	slices.SortStableFunc(found, func(a, b find) int {
		p, q := a.bounds(), b.bounds()
		return cmp.Or(cmp.Compare(p.Min.Y, q.Min.Y), cmp.Compare(p.Min.X, q.Min.X))
	})
	return found
}

// covers reports whether the middle of another zone is in the rectangle around
// this one. The rectangles of two zones that are tilted may overlap.
func (f *find) covers(o *find) bool {
	b := o.bounds()
	return b.Min.Add(b.Max).Div(2).In(f.bounds())
}

// corners are the zone's: before and after its first line above, before and
// after its last one below.
func (f *find) corners() (c [4]image.Point) {
	cells := 0
	for i := range f.rows {
		cells = max(cells, f.rows[i].to+1)
	}
	for i := range c {
		l, side := &f.rows[0], -0.6
		if i >= 2 {
			l, side = &f.rows[len(f.rows)-1], 0.6
		}
		t := -0.5
		if i%2 == 1 {
			t = float64(cells) - 0.5
		}
		vx, vy := l.down(t)
		c[i] = image.Pt(round(l.x.at(t)+side*vx), round(l.y.at(t)+side*vy))
	}
	return c
}

func (f *find) bounds() (b image.Rectangle) {
	for _, p := range f.corners() {
		b = b.Union(image.Rectangle{p, p.Add(image.Pt(1, 1))})
	}
	return b
}

// zone is what the caller gets; min is where the picture begins.
func (f *find) zone(at image.Point) Zone {
	z := Zone{Format: f.format, Lines: f.lines, Valid: f.valid, Confidence: f.sure, Corners: f.corners(), Bounds: f.bounds().Add(at)}
	for i := range z.Corners {
		z.Corners[i] = z.Corners[i].Add(at)
	}
	ux, uy := f.rows[0].along(float64(f.rows[0].to) / 2)
	z.Turned = (round(math.Atan2(uy, ux)/(math.Pi/2)) + 4) % 4
	k := 0
	for _, text := range f.lines {
		chars := make([]Char, len(text))
		for j := range chars {
			chars[j] = Char{text[j], f.reading.sure[k], glyph.Alphabet[f.reading.second[k]]}
			k++
		}
		z.Chars = append(z.Chars, chars)
	}
	for _, k := range f.reading.repairs {
		c := f.reading.grid.cells[k]
		z.Repairs = append(z.Repairs, Repair{
			Field: z.Format.FieldAt(mrz.Cell{Line: c.line, Column: c.column}), Line: c.line + 1, Column: c.column + 1,
			From: string(rune(glyph.Alphabet[f.reading.best[k]])), To: string(rune(glyph.Alphabet[f.reading.classes[k]])),
		})
	}
	return z
}

func length(x, y float64) float64 { return math.Hypot(x, y) }
