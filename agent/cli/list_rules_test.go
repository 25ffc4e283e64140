package cli_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"filippo.io/age"
)

const rulePack = `{"format":"lintas-rules/1","version":12,"time":"2026-11-20T00:00:00Z","rules":[
	{"id":"R01","owner":"Subdit Pemeriksaan","legal_basis":"UU 21/2007","start":"2026-11-01","end":"2027-01-15","directions":["departure"],"mode":"active","precision_floor":0.1,"minimum_outcomes":30,
	 "when":"journey.destination in [\"KHM\", \"MMR\"] and not record.present","text":{"id":"Rute.","en":"A route."},"next":{"id":"Tanyakan.","en":"Ask."}}],
	"closed":[{"id":"K01","order":"Kepmenaker 260/2015","destinations":["SAU"],"employer_kinds":["household"],"start":"2015-05-26","verdict":"ask"}]}`

func file(t *testing.T, name, content string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// configured gives the flag of a configuration whose state folder has no list.
func configured(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	hub, err := age.GenerateX25519Identity()
	if err != nil {
		t.Fatal(err)
	}
	return file(t, "lintas.toml", `[counter]
id = "CGK-T3-D07"
[hub]
recipients = ["`+hub.Recipient().String()+`"]
ack_keys_file = "`+filepath.Join(dir, "ack.jwks")+`"
[state]
dir = "`+dir+`"
run = "`+dir+`"
[keys]
counter_file = "`+filepath.Join(dir, "counter.jwk")+`"
list_file = "`+filepath.Join(dir, "list.jwk")+`"
`)
}

func TestListRulesShow(t *testing.T) {
	good := file(t, "rules.json", rulePack)
	out, _, code := lintas(t, "", "list", "rules", "show", good)
	if code != 0 || !strings.Contains(out, "version 12") || !strings.Contains(out, "R01  active") || !strings.Contains(out, "K01  closed by Kepmenaker 260/2015") {
		t.Errorf("exit %d\n%s", code, out)
	}
	bad := strings.Replace(strings.Replace(rulePack, `"active"`, `"stop"`, 1), "2027-01-15", "2027-03-01", 1)
	_, errs, code := lintas(t, bad, "list", "rules", "show", "-")
	if code != 1 || !strings.Contains(errs, "R01 end") || !strings.Contains(errs, "R01 mode") {
		t.Errorf("exit %d\n%s", code, errs)
	}
	out, _, code = lintas(t, bad, "list", "rules", "show", "--json", "-")
	var shown struct {
		Valid  bool
		Faults []struct{ Rule, Field, Why string }
	}
	if err := json.Unmarshal([]byte(out), &shown); err != nil || code != 1 || shown.Valid || len(shown.Faults) != 2 || shown.Faults[0].Rule != "R01" {
		t.Errorf("exit %d, %v\n%s", code, err, out)
	}
	out, _, code = lintas(t, "", "list", "rules", "show", "--json", good)
	if err := json.Unmarshal([]byte(out), &shown); err != nil || code != 0 || !shown.Valid || !strings.Contains(out, `"legal_basis"`) {
		t.Errorf("exit %d, %v\n%s", code, err, out)
	}
	if _, errs, code := lintas(t, "", "list", "rules", "show", "--config", configured(t)); code != 2 || !strings.Contains(errs, "no rules") {
		t.Errorf("without a list: exit %d\n%s", code, errs)
	}
	if out, _, code := lintas(t, "", "list", "rules", "show", "--vocabulary"); code != 0 || !strings.Contains(out, "counts.consecutive_numbers") {
		t.Errorf("exit %d\n%s", code, out)
	}
	if _, _, code := lintas(t, "", "list", "rules", "show", good, good); code != 64 {
		t.Errorf("two files: exit %d", code)
	}
}

type explanation struct {
	Verdict   string
	Reasons   []struct{ Code, ID, EN, Source string }
	Checklist []string
	Decisions []string
	Rules     []struct {
		ID, Outcome string
		Steps       []struct {
			Part  string
			Value any
		}
	}
	RulesVersion int64 `json:"rules_version"`
}

func explainJSON(t *testing.T, stdin string, args ...string) (x explanation, text string) {
	t.Helper()
	out, errs, code := lintas(t, stdin, append([]string{"list", "rules", "explain", "--json"}, args...)...)
	if err := json.Unmarshal([]byte(out), &x); err != nil || code != 0 {
		t.Fatalf("exit %d, %v\n%s\n%s", code, err, out, errs)
	}
	return x, out
}

func TestListRulesExplain(t *testing.T) {
	const cases = "../verdict/testdata/cases/"
	x, _ := explainJSON(t, "", "--case", cases+"r02.toml")
	if x.Verdict != "ask" || len(x.Reasons) != 1 || x.Reasons[0].Code != "R02" || len(x.Rules) != 1 || x.Rules[0].Outcome != "fires" || len(x.Rules[0].Steps) != 8 || x.RulesVersion != 12 {
		t.Errorf("%+v", x)
	}
	x, _ = explainJSON(t, "", "--case", cases+"n02.toml", "--config", configured(t))
	if x.Verdict != "ask" || len(x.Checklist) != 8 || len(x.Rules) != 0 {
		t.Errorf("%+v", x)
	}
	x, _ = explainJSON(t, "", "--case", cases+"r02.toml", "--rules", file(t, "rules.json", rulePack))
	if len(x.Rules) != 1 || x.Rules[0].ID != "R01" || x.Rules[0].Outcome != "fires" {
		t.Errorf("another pack: %+v", x)
	}

	const zone = "P<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<\nL898902C36UTO7408122F1204159ZE184226B<<<<<10\n"
	pack, config := file(t, "rules.json", rulePack), configured(t)
	x, text := explainJSON(t, zone, "--document", "-", "--rules", pack, "--config", config, "--journey", "QZ1 CGK-PNH", "--today", "2026-11-23")
	if x.Verdict != "unsure" || len(x.Rules) != 1 || x.Rules[0].Outcome != "fires" {
		t.Errorf("%+v", x)
	}
	if strings.Contains(text, "ERIKSSON") || strings.Contains(text, "L898902C3") {
		t.Errorf("the traveller is named: %s", text)
	}
	x, _ = explainJSON(t, zone, "--document", "-", "--rules", pack, "--config", config, "--direction", "return", "--today", "2026-11-23")
	if x.Rules[0].Outcome != "other-direction" || strings.Contains(strings.Join(x.Decisions, " "), "postpone") {
		t.Errorf("%+v", x)
	}
	out, _, code := lintas(t, "", "list", "rules", "explain", "--case", cases+"r01.toml")
	if code != 0 || !strings.Contains(out, "counts.same_flight_unlisted_20min >= 5  →  true") || !strings.Contains(out, "R01  fires") {
		t.Errorf("exit %d\n%s", code, out)
	}
	for _, args := range [][]string{{}, {"--case", "x", "--document", "y"}, {"more", "--case", "x"}, {"--document", "-", "--direction", "up"}, {"--document", "-", "--purpose", "fun"},
		{"--document", "-", "--journey", "somewhere"}, {"--document", "-", "--today", "2026-02-30"}} {
		if _, _, code := lintas(t, zone, append([]string{"list", "rules", "explain"}, args...)...); code != 64 {
			t.Errorf("%v: exit %d", args, code)
		}
	}
	for _, args := range [][]string{{"--case", "absent.toml"}, {"--case", pack}, {"--document", pack, "--config", config}, {"--case", cases + "n01.toml", "--rules", cases + "n01.toml"}} {
		if _, errs, code := lintas(t, "", append([]string{"list", "rules", "explain"}, args...)...); code != 1 || errs == "" {
			t.Errorf("%v: exit %d", args, code)
		}
	}
}
