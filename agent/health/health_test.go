package health_test

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"lintas/agent/health"
)

func TestCatalogue(t *testing.T) {
	for _, c := range health.Catalogue() {
		if c.ID == "" || c.EN == "" || c.NextID == "" || c.NextEN == "" {
			t.Errorf("%s lacks words", c.Code)
		}
		if c.Severity != health.Info && c.Severity != health.Warning && c.Severity != health.Error {
			t.Errorf("%s has severity %q", c.Code, c.Severity)
		}
		if strings.ToLower(string(c.Code)) != string(c.Code) || strings.ContainsAny(string(c.Code), " _") {
			t.Errorf("%s is not in the form of a code", c.Code)
		}
	}
}

func TestBoard(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := health.NewBoard()
		codes := func() (list []string) {
			for _, a := range b.Active() {
				list = append(list, string(a.Code)+"/"+a.Subject)
			}
			return list
		}
		expect := func(want string) {
			t.Helper()
			if got := strings.Join(codes(), " "); got != want {
				t.Errorf("active: %q, want %q", got, want)
			}
		}
		changed := b.Changed()
		b.Set(health.ScannerMissing, "left", true, "unplugged")
		select {
		case <-changed:
		default:
			t.Error("a new condition told nobody")
		}
		b.Set(health.BrokerDown, "", true, "refused") // shown after ten seconds
		b.Set(health.CannotRecord, "", true, "disk full")
		expect("cannot-record/ scanner-missing/left")
		time.Sleep(10 * time.Second)
		expect("cannot-record/ broker-down/ scanner-missing/left")
		since := b.Active()[1].Since
		b.Set(health.BrokerDown, "", true, "another reason")
		if a := b.Active()[1]; a.Since != since || a.Detail != "another reason" {
			t.Errorf("a new detail made it a new condition: %+v", a)
		}
		changed = b.Changed()
		b.Set(health.BrokerDown, "", true, "another reason")
		select {
		case <-changed:
			t.Error("nothing changed, and everybody was told")
		default:
		}
		b.Set(health.CannotRecord, "", false, "")
		b.Set(health.ScannerMissing, "right", false, "")
		expect("broker-down/ scanner-missing/left")
	})
}
