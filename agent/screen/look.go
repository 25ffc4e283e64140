package screen

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"fmt"
	"html/template"
	"net/http"

	"lintas/agent/counter"
	"lintas/agent/health"
	"lintas/agent/verdict"
)

//go:embed assets
var assets embed.FS

// asset is a file that the page asks for.
type asset struct{ name, kind string }

var served = [...]asset{
	{"screen.css", "text/css; charset=utf-8"},
	{"light.css", "text/css; charset=utf-8"},
	{"screen.js", "text/javascript; charset=utf-8"},
	{"icon.svg", "image/svg+xml"},
}

func (a asset) bytes() []byte {
	b, err := assets.ReadFile("assets/" + a.name)
	if err != nil {
		panic(err) // embedded
	}
	return b
}

func (a asset) serve(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", a.kind)
	w.Write(a.bytes())
}

// lightMedia says for which media the light colours hold; dark is what the page
// has without them. A browser without a wish of its own claims to want light,
// so that auto is for desks that have one.
var lightMedia = map[string]string{"light": "all", "auto": "(prefers-color-scheme: light)"}

// look is how the page looks in one language order.
type look struct {
	tongue    tongue
	templates *template.Template
	// build names this version of the page: a browser that still runs another
	// one after an update loads it anew.
	build string
}

// newLook reads the templates. They are embedded: a fault in them panics.
func newLook(t tongue, theme, version string) *look {
	if t != english {
		t = indonesian
	}
	k := &look{tongue: t}
	k.templates = template.Must(template.New("").Funcs(template.FuncMap{
		"w":         func(name string) (said, error) { text, err := lookUp(name); return t.say(text), err },
		"say":       t.say,
		"also":      func(text verdict.Text) phrase { return t.say(text).Second },
		"only":      func(text verdict.Text) phrase { return t.say(text).First },
		"chip":      t.chip,
		"day":       t.day,
		"condition": func(a health.Active) said { return t.say(verdict.Text{ID: a.ID, EN: a.EN}) },
		"next":      func(a health.Active) said { return t.say(verdict.Text{ID: a.NextID, EN: a.NextEN}) },
		"notice":    func(n *counter.Notice) said { return t.say(verdict.Text{ID: n.ID, EN: n.EN}) },
		"purposes":  verdict.Purposes,
		"returns":   verdict.ReturnReasons,
		"fkey":      func(i int) string { return fmt.Sprintf("F%d", i+1) },
		"lang":      func() string { return string(t) },
		"light":     func() string { return lightMedia[theme] },
		"build":     func() string { return k.build },
		"messages": func() []string {
			return []string{problemDecided, problemDirection, problemFixed, problemRecord, problemRequest, problemUnanswered, problemJourney}
		},
	}).ParseFS(assets, "assets/*.html"))
	h := sha256.New()
	fmt.Fprintf(h, "%s %s %s ", t, theme, version)
	for _, name := range []string{"page.html", "parts.html", "traveller.html", "screen.css", "light.css", "screen.js"} {
		h.Write(asset{name: name}.bytes())
	}
	k.build = hex.EncodeToString(h.Sum(nil)[:8])
	return k
}

// render gives every part of the page.
func (k *look) render(m model) (html [len(parts)]template.HTML, err error) {
	var b bytes.Buffer
	for i, name := range parts {
		b.Reset()
		if err := k.templates.ExecuteTemplate(&b, name, m); err != nil {
			return [len(parts)]template.HTML{}, err
		}
		html[i] = template.HTML(b.String())
	}
	return html, nil
}

// whole gives the page with all its parts.
func (k *look) whole(m model) ([]byte, error) {
	var b bytes.Buffer
	err := k.templates.ExecuteTemplate(&b, "page", m)
	return b.Bytes(), err
}
