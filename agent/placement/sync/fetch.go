package sync

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/theupdateframework/go-tuf/v2/metadata"
)

// The library names files by URL. What is before the name means nothing here:
// the source knows where it has them.
const (
	metadataURL = "lintas:metadata"
	targetsURL  = "lintas:targets"
)

// Pace: a source that is slower than this is given up, so that it cannot hold
// the counter up for ever (slow data).
const (
	grace   = 30 * time.Second
	minRate = 8 << 10 // bytes a second
)

// source has files by name below metadata/ and targets/.
type source interface {
	// open gives a file from an offset on; length is what it has at most.
	// It skips nothing: at is where it really begins, 0 if it cannot seek.
	// errNotThere: there is no such file.
	open(ctx context.Context, name string, offset, length int64) (r io.ReadCloser, at int64, err error)
	close() error
}

// errNotThere is what a source says of a file that it does not have.
var errNotThere = errors.New("no such file")

// fetcher is the library's way to the source.
type fetcher struct {
	ctx     context.Context
	source  source
	parts   string
	fetched int64 // bytes of targets
	resumed bool  // the last file began with a part that was there already
}

// DownloadFile gives a file of at most maxLength bytes. Targets that come in
// part are kept and gone on with.
func (f *fetcher) DownloadFile(url string, maxLength int64, _ time.Duration) ([]byte, error) {
	if strings.HasPrefix(url, metadataURL+"/") {
		maxLength = min(maxLength, maxTargets) // whatever the online keys have signed
	}
	if maxLength < 0 || maxLength > maxTarget {
		return nil, fmt.Errorf("cannot fetch a file of %d bytes", maxLength)
	}
	ctx, cancel := context.WithTimeoutCause(f.ctx, grace+time.Duration(maxLength/minRate)*time.Second,
		fmt.Errorf("the source is slower than %d KiB/s", minRate>>10))
	defer cancel()
	name := strings.TrimPrefix(url, "lintas:")
	b, err := f.get(ctx, name, maxLength)
	if errors.Is(err, errNotThere) {
		return nil, &metadata.ErrDownloadHTTP{StatusCode: http.StatusNotFound, URL: name}
	}
	if err != nil && ctx.Err() != nil {
		err = context.Cause(ctx)
	}
	if err != nil {
		return nil, fmt.Errorf("cannot fetch %s: %w", name, err)
	}
	return b, nil
}

func (f *fetcher) get(ctx context.Context, name string, maxLength int64) ([]byte, error) {
	_, local := f.source.(*folder)
	if !strings.HasPrefix(name, "targets/") || local {
		b, err := f.read(ctx, name, nil, maxLength, nil)
		if strings.HasPrefix(name, "targets/") {
			f.fetched += int64(len(b))
		}
		return b, err
	}
	// The name begins with the hash that the metadata says.
	sum, _, _ := strings.Cut(filepath.Base(name), ".")
	path := filepath.Join(f.parts, sum+".part")
	had, err := os.ReadFile(path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	if int64(len(had)) > maxLength {
		had = nil
	}
	if f.resumed = len(had) > 0; int64(len(had)) == maxLength {
		return had, os.Remove(path)
	}
	// What comes is on the disk at once: a process that is killed has it still.
	part, err := os.OpenFile(path, os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, err
	}
	b, err := f.read(ctx, name, had, maxLength, part)
	err = errors.Join(err, part.Close())
	if err != nil && len(b) > 0 && !errors.Is(err, errTooLong) {
		return nil, err
	}
	return b, errors.Join(err, os.Remove(path)) // the library judges the whole now
}

var errTooLong = errors.New("it is longer than the list says")

// read goes on behind what there is and writes it into part, if there is such a
// file. On error it gives what it has got.
func (f *fetcher) read(ctx context.Context, name string, had []byte, maxLength int64, part *os.File) ([]byte, error) {
	r, at, err := f.source.open(ctx, name, int64(len(had)), maxLength)
	if err != nil {
		return had, err
	}
	stop := context.AfterFunc(ctx, func() { r.Close() }) // ends a read that waits
	defer func() {
		if stop() {
			r.Close()
		}
	}()
	had = had[:min(at, int64(len(had)))]
	before := len(had)
	each := func([]byte) error { return nil }
	if part != nil {
		if err := part.Truncate(int64(before)); err != nil {
			return had, err
		}
		if _, err := part.Seek(0, io.SeekEnd); err != nil {
			return had, err
		}
		each = func(b []byte) error { _, err := part.Write(b); return err }
	}
	b, err := appendAll(had, r, maxLength, each)
	if strings.HasPrefix(name, "targets/") {
		if _, local := f.source.(*folder); !local {
			f.fetched += int64(len(b) - before)
		}
	}
	if err == nil && ctx.Err() != nil {
		err = ctx.Err()
	}
	return b, err
}

// appendAll reads to the end, or until there is more than may be, and hands each
// piece on.
func appendAll(b []byte, r io.Reader, maxLength int64, each func([]byte) error) ([]byte, error) {
	const chunk = 64 << 10
	for {
		if cap(b)-len(b) < chunk {
			// Memory grows with what has come, not with what was promised.
			grown := make([]byte, len(b), min(max(2*cap(b), 4*chunk), int(maxLength)+2*chunk))
			copy(grown, b)
			b = grown
		}
		n, err := r.Read(b[len(b):min(cap(b), len(b)+chunk)])
		b = b[:len(b)+n]
		if int64(len(b)) > maxLength {
			return nil, errTooLong
		}
		if err := each(b[len(b)-n:]); err != nil {
			return b, err
		}
		if err == io.EOF {
			return b, nil
		} else if err != nil {
			return b, err
		}
	}
}
