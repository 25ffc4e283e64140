package scanners

import (
	"context"
	"os"
	"slices"
	"strings"

	"lintas/agent/config"
	"lintas/devices"
	"lintas/devices/folder"
	"lintas/devices/page"
	"lintas/mrz"
)

// pages makes a reader of a folder in which scanned pages are dropped.
func pages(r *devices.Reader, s config.Scanner) {
	f := folder.New(folder.Options{Dir: s.Port, Remove: s.After == "remove", Read: readPages, Logger: r.Logger})
	r.Mode, r.Open, r.Framer = devices.Picture, f.Open, f.Framer
}

// readPages reads one file in a child of this program. Pages that just have no
// zone are not worth a word if another page has one.
func readPages(ctx context.Context, file *os.File) (scans []devices.Scan, failed string, err error) {
	r, err := new(page.Reader).Read(ctx, file)
	if err != nil {
		return nil, "", err
	}
	if slices.ContainsFunc(r.Scans, func(s devices.Scan) bool { return s.Status != devices.Unread }) {
		r.Scans = slices.DeleteFunc(r.Scans, blank)
	}
	return r.Scans, strings.ReplaceAll(strings.TrimPrefix(r.Failed, "page_"), "_", "-"), nil
}

// blank tells whether a page only has no zone.
func blank(s devices.Scan) bool {
	return s.Status == devices.Unread && !slices.ContainsFunc(s.Page.Findings, func(f mrz.Finding) bool { return f.Code != page.CodeNoZone })
}
