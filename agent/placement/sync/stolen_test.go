package sync_test

import (
	"bytes"
	"crypto/md5"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"encoding/hex"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"lintas/agent/placement"
	"lintas/mrz"
)

// All files of a counter, and those of headquarters that are not keys, are
// searched for everybody on the list: names, numbers, births, and plain and
// unkeyed hashes of them. A thief finds none.
func TestStolenDisk(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.source.Negatives = []placement.NegativeEntry{{DocumentRef: placement.DocumentRef{IssuingState: "IDN", DocumentNumber: "ZZ9999999"},
		Negative: placement.Negative{Kind: placement.Lost, Until: mrz.Date{Year: 2031, Month: 1, Day: 1}, Contact: "CONTACTPERSON"}}}
	w.source.Officers = []placement.Officer{{Site: site, ID: "OFFICERSEVEN", Name: "SARIOFFICER", PINHash: "$argon2id$v=19$m=1,t=1,p=1$AA$AA"}}
	var list []placement.Entry
	for i := range 60 {
		e := worker(i)
		e.Primary, e.EmployerName = "KENARI"+letters(i+1000), "MAJIKAN"+letters(i+1000)
		list = append(list, e)
	}
	w.publish(list[:50]...)
	w.mustSync()
	w.publish(list...)
	w.mustSync()
	if f := w.find(w.open(), list[55]); len(f.Records) != 1 {
		t.Fatal("the list does not answer")
	}
	needles := map[string]string{} // bytes that must not be there, and what they tell
	for _, secret := range []string{"ZZ9999999", "IDNZZ9999999", "CONTACTPERSON", "SARIOFFICER", "$argon2id$v=19$m=1"} {
		hide(needles, secret)
	}
	for _, e := range list {
		number := e.Documents[0].DocumentNumber
		birth, expiry := e.DateOfBirth.String(), e.Documents[0].DateOfExpiry.String()
		short := func(s string) string { return strings.ReplaceAll(s, "-", "")[2:] }
		for _, secret := range []string{
			number, "IDN" + number, "IDN" + number + birth, "IDN" + number + birth + expiry, number + short(birth) + short(expiry),
			e.Primary, e.Primary + " " + e.Secondary, e.Primary + "<<" + e.Secondary, mrz.NameKey(e.Primary, e.Secondary),
			mrz.NameKey(e.Primary, e.Secondary) + birth, e.PlacementID, e.EmployerName,
			"doc\x1fIDN\x1f" + number, "person\x1f" + mrz.NameKey(e.Primary, e.Secondary) + "\x1f" + birth,
			"body\x1fIDN\x1f" + number + "\x1f" + birth + "\x1f" + expiry,
		} {
			hide(needles, secret)
		}
	}
	searched, size := 0, 0
	for _, dir := range []string{"state", "list", "list.state"} {
		err := filepath.WalkDir(w.path(dir), func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() {
				return err
			}
			b, err := os.ReadFile(path)
			searched++
			size += len(b)
			grams := gramsOf(b)
			for needle, what := range needles {
				if grams[needle[:4]] && bytes.Contains(b, []byte(needle)) {
					t.Errorf("%s holds %s", filepath.Base(path), what)
				}
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if searched < 100 || len(needles) < 10_000 {
		t.Errorf("only %d files were searched for %d needles", searched, len(needles))
	}
	t.Logf("%d files, %d bytes, searched for %d needles", searched, size, len(needles))
	// The search finds what is there.
	plain := filepath.Join(w.path("state"), "plain")
	sum := sha256.Sum256([]byte("IDN" + list[3].Documents[0].DocumentNumber))
	w.must(os.WriteFile(plain, []byte("x"+hex.EncodeToString(sum[:])+"y"), 0o600))
	b, err := os.ReadFile(plain)
	w.must(err)
	found := false
	for needle := range needles {
		found = found || bytes.Contains(b, []byte(needle))
	}
	if !found {
		t.Error("the search would not find a plain hash")
	}
}

// gramsOf are all four bytes in a row: they tell quickly what is not there.
func gramsOf(b []byte) map[string]bool {
	grams := map[string]bool{}
	for i := 0; i+4 <= len(b); i++ {
		grams[string(b[i:i+4])] = true
	}
	return grams
}

// hide adds a secret and its unkeyed hashes, as bytes, in hexadecimal and in
// base64. Of hashes, the first 12 bytes do: a tag might be a part of one.
func hide(needles map[string]string, secret string) {
	needles[secret] = "a plain text"
	b := []byte(secret)
	h256, h1, h5, h512 := sha256.Sum256(b), sha1.Sum(b), md5.Sum(b), sha512.Sum512(b)
	for name, sum := range map[string][]byte{"sha256": h256[:12], "sha1": h1[:12], "md5": h5[:12], "sha512": h512[:12]} {
		needles[string(sum)] = name
		needles[hex.EncodeToString(sum)] = name + " in hexadecimal"
		needles[strings.ToUpper(hex.EncodeToString(sum))] = name + " in hexadecimal"
		needles[base64.RawStdEncoding.EncodeToString(sum)] = name + " in base64"
		needles[base64.RawURLEncoding.EncodeToString(sum)] = name + " in base64"
	}
	needles[hex.EncodeToString(b)] = "a text in hexadecimal"
	needles[base64.RawStdEncoding.EncodeToString(b[:len(b)/3*3])] = "a text in base64"
}
