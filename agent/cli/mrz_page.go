package cli

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"os"

	"lintas/agent/command"
	"lintas/devices"
	"lintas/devices/page"
	"lintas/mrz"
)

// page reads a scanned page, or all pages of a document, in a child of this
// program. start is what was read of in already. It tells whether every document
// found is valid, that there is one, and that no page was left unread; a page
// without a zone among others is no document.
func (m *mrzRun) page(ctx context.Context, env command.Env, out *bufio.Writer, name string, in io.Reader, start []byte) (valid bool, err error) {
	src := io.MultiReader(bytes.NewReader(start), in)
	if f, ok := in.(*os.File); ok {
		if st, err := f.Stat(); err == nil && st.Mode().IsRegular() {
			src = f
		}
	}
	r, err := new(page.Reader).Read(ctx, src)
	if err != nil {
		return false, unread("cannot read %s: %w", title(name), err)
	}
	valid = r.Failed == ""
	for _, scan := range r.Scans {
		d, doubtful := scan.Document(m.date)
		zone := scan.Status != devices.Unread
		if zone {
			valid = valid && d.Valid
		}
		called := title(name)
		if r.Pages > 1 && scan.Page.Number > 0 {
			called = fmt.Sprintf("%s, page %d", called, scan.Page.Number)
		}
		switch {
		case m.json && zone && d.Format != "":
			o := zoneResult(name, d)
			o.Page, o.Confidence, o.Doubtful = scan.Page.Number, &scan.Page.Confidence, scan.Page.Doubtful
			err = command.JSON(out, o)
		case m.json:
			o := noZone{ID: name, Findings: append([]mrz.Finding{}, scan.Page.Findings...)}
			if r.Pages > 1 {
				o.Page = scan.Page.Number
			}
			err = command.JSON(out, o)
		case zone:
			printDocument(out, called, d, doubtful)
		default:
			err = out.Flush()
			for _, f := range scan.Page.Findings {
				fmt.Fprintf(env.Stderr, "%s: %s\n", called, f.EN)
			}
		}
		if err != nil {
			return false, err
		}
	}
	return valid, nil
}
