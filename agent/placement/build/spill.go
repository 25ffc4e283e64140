package build

import (
	"bufio"
	"bytes"
	"crypto/cipher"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"

	"golang.org/x/crypto/chacha20"
)

// buckets is how many pieces a sort has, by the first byte of what is sorted:
// a piece of a list of ten million has some ten megabytes.
const buckets = 256

// spill sorts more than fits into memory: items go into files by their first
// byte, and each file is then read and sorted by itself. The files hold names
// and numbers, so they are encrypted under a key that only this process knows.
type spill struct {
	dir   string
	key   [chacha20.KeySize]byte
	files [buckets]*os.File
	out   [buckets]*bufio.Writer
}

func newSpill(dir, name string) (*spill, error) {
	s := &spill{dir: filepath.Join(dir, name)}
	rand.Read(s.key[:])
	return s, os.Mkdir(s.dir, 0o700)
}

// stream gives a bucket's own key stream.
func (s *spill) stream(bucket int) (cipher.Stream, error) {
	var nonce [chacha20.NonceSize]byte
	nonce[0] = byte(bucket)
	return chacha20.NewUnauthenticatedCipher(s.key[:], nonce[:])
}

// put adds an item. Items are sorted as bytes.
func (s *spill) put(item []byte) error {
	i := int(item[0])
	if s.out[i] == nil {
		f, err := os.OpenFile(filepath.Join(s.dir, fmt.Sprintf("%02x", i)), os.O_CREATE|os.O_EXCL|os.O_RDWR, 0o600)
		if err != nil {
			return err
		}
		stream, err := s.stream(i)
		if err != nil {
			return errors.Join(err, f.Close())
		}
		s.files[i], s.out[i] = f, bufio.NewWriterSize(cipher.StreamWriter{S: stream, W: f}, 8<<10)
	}
	var n [4]byte
	binary.BigEndian.PutUint32(n[:], uint32(len(item)))
	s.out[i].Write(n[:]) // an error stays and comes back
	_, err := s.out[i].Write(item)
	return err
}

// take gives a bucket's items in order, and forgets them.
func (s *spill) take(bucket int) (items [][]byte, err error) {
	f := s.files[bucket]
	if f == nil {
		return nil, nil
	}
	defer func() {
		err = errors.Join(err, f.Close(), os.Remove(f.Name()))
		s.files[bucket], s.out[bucket] = nil, nil
	}()
	if err := s.out[bucket].Flush(); err != nil {
		return nil, err
	}
	if _, err := f.Seek(0, io.SeekStart); err != nil {
		return nil, err
	}
	b, err := io.ReadAll(f)
	if err != nil {
		return nil, err
	}
	stream, err := s.stream(bucket)
	if err != nil {
		return nil, err
	}
	stream.XORKeyStream(b, b)
	for len(b) >= 4 {
		n := int(binary.BigEndian.Uint32(b))
		if b = b[4:]; n > len(b) {
			return nil, io.ErrUnexpectedEOF
		}
		items, b = append(items, b[:n:n]), b[n:]
	}
	slices.SortFunc(items, bytes.Compare)
	return items, nil
}

// close gives up what was not taken.
func (s *spill) close() (err error) {
	for _, f := range s.files {
		if f != nil {
			err = errors.Join(err, f.Close())
		}
	}
	return err
}
