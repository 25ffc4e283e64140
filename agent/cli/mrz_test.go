package cli_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"lintas/agent/cli"
	"lintas/agent/command"
)

const (
	specimen = "P<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<\nL898902C36UTO7408122F1204159ZE184226B<<<<<10\n"
	visa     = "V<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<\nL8988901C4XXX4009078F96121096ZE184226B<<<<<<\n"
	french   = "IDFRABERTHIER<<<<<<<<<<<<<<<<<<<<<<<\n8806923102858CORINNE<<<<<<<6512068F6\n"
)

// wrongDigit is the specimen with a document number that its digit contradicts,
// misread is the specimen with a letter in a date.
var (
	wrongDigit = strings.Replace(specimen, "L898902C3", "L898902C4", 1)
	misread    = strings.Replace(specimen, "740812", "74O812", 1)
)

// TestMRZ: programs outside this repository rely on every key, and that a list
// is never null.
func TestMRZ(t *testing.T) {
	out, errs, code := lintas(t, specimen, "mrz", "--json", "--today", "2026-11-23")
	const want = `{"id":"-","format":"TD3","valid":true,` +
		`"lines":["P<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<","L898902C36UTO7408122F1204159ZE184226B<<<<<10"],` +
		`"document_code":"P","issuing_state":"UTO","primary":"ERIKSSON","secondary":"ANNA MARIA","name_truncated":false,` +
		`"document_number":"L898902C3","nationality":"UTO","date_of_birth":"1974-08-12","sex":"F","date_of_expiry":"2012-04-15",` +
		`"optional_data":["ZE184226B"],` +
		`"checks":[{"field":"document_number","status":"verified"},{"field":"date_of_birth","status":"verified"},` +
		`{"field":"date_of_expiry","status":"verified"},{"field":"optional_data","status":"verified"},` +
		`{"field":"composite","status":"verified"}],` +
		`"findings":[],"repairs":[],"candidates":[]}` + "\n"
	if out != want || errs != "" || code != 0 {
		t.Errorf("exit %d, %s\ngot  %swant %s", code, errs, out, want)
	}
}

func TestMRZFindingsAndRepairs(t *testing.T) {
	for _, c := range []struct {
		name, in string
		code     int
		want     string
	}{
		{"finding", wrongDigit, 1, `"findings":[{"code":"check_digit_wrong","severity":"error","field":"document_number","line":2,"column":10,"id":"Angka`},
		{"repair", misread, 0, `"repairs":[{"field":"date_of_birth","line":2,"column":16,"from":"O","to":"0"}]`},
		{"candidate", wrongDigit, 1, `"candidates":[{"field":"document_number","value":"`},
		{"unknown month and day", strings.Replace(specimen, "7408122", "74<<<<6", 1), 1, `"date_of_birth":"1974-XX-XX"`},
		{"no date", strings.Replace(specimen, "7408122", "<<<<<<<", 1), 0, `"date_of_birth":""`},
		{"no optional data", visa, 0, `"optional_data":["6ZE184226B"]`},
		{"a format of its own", french, 0, `"format":"FR-ID"`},
	} {
		t.Run(c.name, func(t *testing.T) {
			out, _, code := lintas(t, c.in, "mrz", "--json", "--today", "2026-11-23")
			if code != c.code || !strings.Contains(out, c.want) || strings.Contains(out, "null") {
				t.Errorf("exit %d, %s", code, out)
			}
		})
	}
}

// TestMRZToday: a year of two digits is what today makes of it.
func TestMRZToday(t *testing.T) {
	in := strings.Replace(specimen, "1204159", "<<<<<<<", 1) // the expiry would decide too
	for today, want := range map[string]string{"2026-11-23": "1974-08-12", "2080-01-01": "2074-08-12"} {
		if out, _, _ := lintas(t, in, "mrz", "--json", "--today", today); !strings.Contains(out, `"date_of_birth":"`+want) {
			t.Errorf("%s: %s", today, out)
		}
	}
}

func TestMRZInputs(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	good := write("good.txt", "junk\n"+specimen+"junk\n")
	bad := write("bad.txt", wrongDigit)
	none := write("none.txt", "nothing to see")
	page := write("page.pdf", "%PDF-1.7\n")
	absent := filepath.Join(dir, "absent")
	for _, c := range []struct {
		name     string
		stdin    string
		args     []string
		code     int
		out, err string
	}{
		{"valid", "", []string{"mrz", good}, 0, "ERIKSSON", ""},
		{"not valid", "", []string{"mrz", bad}, 1, "TD3, not valid", ""},
		{"one of two", "", []string{"mrz", "--json", good, bad}, 1, `"valid":false`, ""},
		{"no zone", "", []string{"mrz", none}, 1, "", "no machine-readable zone"},
		{"no zone, json", "", []string{"mrz", "--json", none}, 1, `","format":"","valid":false,"findings":[{"code":"format_unknown"`, ""},
		{"many lines and no zone, json", "a\nb\nc\nd\ne\n", []string{"mrz", "--json"}, 1, `{"id":"-","format":"","valid":false,"findings":[{"code":"format_unknown"`, ""},
		{"empty, json", "", []string{"mrz", "--json"}, 1, `{"id":"-","format":"","valid":false,"findings":[{"code":"format_unknown"`, ""},
		{"two zones", french + "\n" + specimen, []string{"mrz", "--json"}, 0, `"format":"TD3"`, ""},
		{"a broken page", "", []string{"mrz", page}, 1, "", "page.pdf: This page is broken"},
		{"a picture of another kind", "GIF89a", []string{"mrz"}, 1, "", "it is a GIF picture; scanned pages are read from PDF, TIFF, JPEG and PNG"},
		{"no file", "", []string{"mrz", absent}, 1, "", "no such file"},
		{"no file, and one more", "", []string{"mrz", absent, good}, 1, "ERIKSSON", "no such file"},
		{"no lines at all", "", []string{"mrz"}, 1, "", "stdin: no machine-readable zone found"},
		{"too large", strings.Repeat("<", 1<<20+1), []string{"mrz"}, 1, "", "larger than 1 MiB"},
		{"65 zones", strings.Repeat(specimen, 65), []string{"mrz", "--json"}, 0, `"format":"TD3"`, "no more than 64 zones"},
		{"carriage returns", strings.ReplaceAll(specimen, "\n", "\r"), []string{"mrz"}, 0, "TD3, valid\n", ""},
		{"CR LF and a mark", "\ufeff" + strings.ReplaceAll(specimen, "\n", "\r\n"), []string{"mrz"}, 0, "TD3, valid\n", ""},
		{"fillers of HTML", strings.ReplaceAll(specimen, "<", "&lt;"), []string{"mrz"}, 0, "TD3, valid\n", ""},
		{"small letters and blanks", strings.ToLower(strings.ReplaceAll(specimen, "<<", " < <")), []string{"mrz"}, 0, "TD3, valid\n", ""},
		{"bad date", "", []string{"mrz", "--today", "tomorrow", good}, 64, "", "not a date"},
		{"no such day", "", []string{"mrz", "--today", "2026-02-30", good}, 64, "", "not a date"},
		{"batch without json", "", []string{"mrz", "--batch"}, 64, "", "--batch needs --json"},
		{"batch with a file", "", []string{"mrz", "--batch", "--json", good}, 64, "", "takes no file"},
	} {
		t.Run(c.name, func(t *testing.T) {
			out, errs, code := lintas(t, c.stdin, c.args...)
			if code != c.code || !strings.Contains(out, c.out) || !strings.Contains(errs, c.err) {
				t.Errorf("exit %d, out %q, err %q", code, out, errs)
			}
		})
	}
}

// TestMRZForPeople fixes what an officer or a technician sees.
func TestMRZForPeople(t *testing.T) {
	out, _, _ := lintas(t, misread, "mrz", "--today", "2026-11-23")
	const want = `stdin: TD3, valid after repair

  P<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<
  L898902C36UTO7408122F1204159ZE184226B<<<<<10
                 ^

  document code    P
  issuing state    UTO
  primary          ERIKSSON
  secondary        ANNA MARIA
  document number  L898902C3   verified
  nationality      UTO
  date of birth    1974-08-12  repaired
  sex              F
  date of expiry   2012-04-15  verified
  optional data    ZE184226B   verified
  composite                    verified

  findings
    info  line 2, column 16  A character of the date of birth was misread and mended; the check digits prove it.

  repairs
    date of birth  line 2, column 16  "0" instead of "O"

`
	if out != want {
		t.Errorf("got\n%s", out)
	}
	out, _, _ = lintas(t, wrongDigit, "mrz")
	for _, want := range []string{
		"stdin: TD3, not valid\n", "  document number  L898902C4   refuted\n",
		"\n           ^                                 ^\n",
		"    error  line 2, column 10  The check digit of the document number does not match",
		"  other possible readings: compare with the document\n    document number  ",
	} {
		if !strings.Contains(out, want) {
			t.Errorf("no %q in\n%s", want, out)
		}
	}
	out, _, _ = lintas(t, strings.Replace(specimen, "ANNA", "\x1b[2J", 1), "mrz")
	if strings.Contains(out, "\x1b") {
		t.Errorf("a terminal would obey %q", out)
	}
}

// batch runs a batch and returns its answers.
func batch(t *testing.T, in string) (answers []string, stderr string) {
	t.Helper()
	out, errs, code := lintas(t, in, "mrz", "--json", "--batch", "--today", "2026-11-23")
	if code != 0 {
		t.Errorf("exit %d", code)
	}
	answers = strings.Split(out, "\n")
	if last := len(answers) - 1; answers[last] != "" {
		t.Errorf("the last line does not end: %q", answers[last])
	}
	return answers[:len(answers)-1], errs
}

// ask is a line of a batch.
func ask(t *testing.T, question map[string]any) string {
	t.Helper()
	b, err := json.Marshal(question)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// TestMRZBatch: one line, one answer, whatever the line is.
func TestMRZBatch(t *testing.T) {
	zone := strings.Fields(specimen)
	lines, text := ask(t, map[string]any{"lines": zone})[1:], ask(t, map[string]any{"text": specimen})[1:]
	const none = `,"format":"","valid":false,"findings":[{"code":"format_unknown","severity":"error",`
	const td3 = `,"format":"TD3","valid":true,`
	tests := []struct {
		name, in   string
		want, note string
	}{
		{"number", `{"id":7,` + lines, `{"id":7` + td3, ""},
		{"large number", `{"id":12345678901234567890.10,` + lines, `{"id":12345678901234567890.10` + td3, ""},
		{"string", `{"id":"a<\u003c",` + text, `{"id":"a<\u003c"` + td3, ""},
		{"object", `{"id":{"x":[1,null]},` + text, `{"id":{"x":[1,null]}` + td3, ""},
		{"null", `{"id":null,` + lines, `{"id":null` + td3, ""},
		{"boolean", `{"id":false,` + lines, `{"id":false` + td3, ""},
		{"no id", `{` + lines, `{"id":null` + td3, ""},
		{"id last", `{"text":"` + strings.ReplaceAll(specimen, "\n", `\n`) + `","id":3}`, `{"id":3` + td3, ""},
		{"unknown key", `{"id":1,"note":"x",` + lines, `{"id":1` + td3, ""},
		{"carriage return", `{"id":1,` + lines + "\r", `{"id":1` + td3, ""},
		{"lines null, text", `{"id":1,"lines":null,` + text, `{"id":1` + td3, ""},
		{"lines empty, text", `{"id":1,"lines":[],` + text, `{"id":1` + td3, ""},
		{"text null, lines", `{"id":1,"text":null,` + lines, `{"id":1` + td3, ""},
		{"both: the lines count", `{"id":1,"text":"nothing",` + lines, `{"id":1` + td3, ""},
		{"one line holds all", ask(t, map[string]any{"id": 1, "lines": []string{specimen}}), `{"id":1` + td3, ""},
		{"lines that end", ask(t, map[string]any{"id": 1, "lines": []string{zone[0] + "\r\n", zone[1] + "\r\n"}}), `{"id":1` + td3, ""},
		{"first valid zone", ask(t, map[string]any{"id": 1, "text": wrongDigit + "\n" + visa + specimen}), `{"id":1,"format":"MRV-A","valid":true`, ""},
		{"first zone if none is valid", ask(t, map[string]any{"id": 1, "text": wrongDigit + "\n" + strings.Replace(visa, "L8988901C4", "L8988901C5", 1)}), `{"id":1,"format":"TD3","valid":false`, ""},

		{"text without a zone", `{"id":2,"text":"a\nb\nc\nd\ne"}`, `{"id":2` + none, ""},
		{"little text", `{"id":2,"text":"a"}`, `{"id":2` + none, ""},
		{"empty text", `{"id":2,"text":""}`, `{"id":2` + none, ""},
		{"empty lines", `{"id":2,"lines":[]}`, `{"id":2` + none, ""},
		{"blank lines", `{"id":2,"lines":["",""]}`, `{"id":2` + none, ""},
		{"very many lines", `{"id":2,"lines":[""` + strings.Repeat(`,"P<UTO"`, 100_000) + `]}`, `{"id":2` + none, ""},

		{"lines null", `{"id":3,"lines":null}`, `{"id":3` + none, "neither lines nor text"},
		{"nothing", `{"id":3}`, `{"id":3` + none, "neither lines nor text"},
		{"lines are a string", `{"id":3,"lines":"CANARY"}`, `{"id":3` + none, "not a list of strings"},
		{"lines are numbers", `{"id":3,"lines":[1,2]}`, `{"id":3` + none, "not a list of strings"},
		{"text is a number", `{"id":3,"text":1}`, `{"id":3` + none, "not a string"},
		{"half an object", `{"id":3,"lines":["CANARY`, `{"id":null` + none, "not a JSON object"},
		{"no JSON", `P<UTOCANARY<<ANNA`, `{"id":null` + none, "not a JSON object"},
		{"a list", `["CANARY"]`, `{"id":null` + none, "not a JSON object"},
		{"null alone", `null`, `{"id":null` + none, "neither"},
		{"a very long line", `{"id":3,"text":"` + strings.Repeat("CANARY ", 300_000) + `"}`, `{"id":null` + none, "longer than 1 MiB"},
		{"deep", strings.Repeat("[", 100_000), `{"id":null` + none, "not a JSON object"},
	}
	for _, c := range tests {
		t.Run(c.name, func(t *testing.T) {
			answers, errs := batch(t, "\n"+c.in+"\n \n"+`{"id":99,`+lines) // the last line without an end
			if len(answers) != 2 || !strings.HasPrefix(answers[0], c.want) || !strings.HasPrefix(answers[1], `{"id":99`+td3) {
				t.Fatalf("%.400q", answers)
			}
			if strings.Contains(errs, "CANARY") || c.note == "" && errs != "" || c.note != "" && !strings.Contains(errs, "line 2 ") || !strings.Contains(errs, c.note) {
				t.Errorf("said %.400q", errs)
			}
		})
	}
}

// TestMRZBatchLinesAtTheirWord: lines of exact lengths are not tidied, text is.
func TestMRZBatchLinesAtTheirWord(t *testing.T) {
	small := strings.ToLower(specimen)
	answers, _ := batch(t, ask(t, map[string]any{"lines": strings.Fields(small)})+"\n"+ask(t, map[string]any{"text": small})+"\n")
	if len(answers) != 2 || !strings.Contains(answers[0], `"valid":false`) || !strings.Contains(answers[1], `"valid":true`) {
		t.Errorf("%q", answers)
	}
}

func TestMRZBatchEmpty(t *testing.T) {
	for _, in := range []string{"", "\n", "\r\n\r\n", "\ufeff"} {
		if answers, errs := batch(t, in); len(answers) > 0 || errs != "" {
			t.Errorf("%q: %q, %q", in, answers, errs)
		}
	}
	if answers, errs := batch(t, "\ufeff"+`{"id":1,"text":""}`); len(answers) != 1 || errs != "" {
		t.Errorf("with a byte order mark: %q, %q", answers, errs)
	}
}

// TestMRZBatchManyFaults: notes are few however many lines are faulty.
func TestMRZBatchManyFaults(t *testing.T) {
	answers, errs := batch(t, strings.Repeat("CANARY\n", 1000))
	if len(answers) != 1000 || strings.Count(errs, "\n") != 21 || !strings.Contains(errs, "980 more lines") {
		t.Errorf("%d answers, %q", len(answers), errs)
	}
}

// TestMRZBatchOneByOne: an answer comes before the next question.
func TestMRZBatchOneByOne(t *testing.T) {
	in, questions := io.Pipe()
	answers, out := io.Pipe()
	done := make(chan int)
	go func() {
		env := command.Env{Stdin: in, Stdout: out, Stderr: io.Discard}
		done <- command.Run(t.Context(), env, "lintas", "", cli.Commands(), []string{"mrz", "--json", "--batch"})
	}()
	r := bufio.NewReader(answers)
	for i := range 3 {
		fmt.Fprintf(questions, "{\"id\":%d,\"text\":\"\"}\n{\"id\":", i)
		if line, err := r.ReadString('\n'); err != nil || !strings.HasPrefix(line, fmt.Sprintf(`{"id":%d,`, i)) {
			t.Fatalf("%q, %v", line, err)
		}
		fmt.Fprint(questions, "null}\n")
		if _, err := r.ReadString('\n'); err != nil {
			t.Fatal(err)
		}
	}
	questions.Close()
	if code := <-done; code != 0 {
		t.Errorf("exit %d", code)
	}
}

// brokenPipe takes nothing.
type brokenPipe struct{}

func (brokenPipe) Write([]byte) (int, error) { return 0, io.ErrClosedPipe }

func TestMRZOutputFails(t *testing.T) {
	for _, args := range [][]string{{"mrz"}, {"mrz", "--json"}, {"mrz", "--json", "--batch"}} {
		in := specimen
		if len(args) == 3 {
			in = `{"id":1}`
		}
		env := command.Env{Stdin: strings.NewReader(in), Stdout: brokenPipe{}, Stderr: io.Discard}
		if code := command.Run(t.Context(), env, "lintas", "", cli.Commands(), args); code != 1 {
			t.Errorf("%q: exit %d although nothing could be written", args, code)
		}
	}
}

// TestMRZKeepsTravellersOffStderr: stderr ends in logs.
func TestMRZKeepsTravellersOffStderr(t *testing.T) {
	const zone = "P<UTOCANARY<<CANARY<MARIA<<<<<<<<<<<<<<<<<<<\nCANARY8903UTO7408122F1204159ZE184226B<<<<<10\n"
	for _, c := range []struct{ in, args string }{
		{zone, "mrz"}, {zone, "mrz --json"}, {zone[:60], "mrz"}, {zone[:20] + "\n\n\n\na\nb\nc\nd", "mrz"},
		{"%PDF-" + zone, "mrz"}, {zone + strings.Repeat("CANARY\n", 1<<18), "mrz"},
		{zone, "mrz --json --batch"},
		{"", "mrz P<UTOCANARY<<CANARY<MARIA<<<<<<<<<<<<<<<<<<<"},
	} {
		if _, errs, _ := lintas(t, c.in, strings.Fields(c.args)...); strings.Contains(errs, "CANARY") || strings.Contains(errs, "740812") {
			t.Errorf("%s: %s", c.args, errs)
		}
	}
}

// vectors is a collection of other libraries' test data beside the repository.
const vectors = "../../../shared/data/mrz-vectors.jsonl"

// TestMRZListsAreNeverNull looks at many results, good and bad.
func TestMRZListsAreNeverNull(t *testing.T) {
	in, err := os.ReadFile(vectors)
	if err != nil {
		t.Skip("the test data are not there:", err)
	}
	answers, _ := batch(t, string(in))
	if len(answers) != bytes.Count(bytes.TrimSpace(in), []byte("\n"))+1 {
		t.Errorf("%d answers", len(answers))
	}
	for _, a := range answers {
		var v map[string]any
		if err := json.Unmarshal([]byte(a), &v); err != nil {
			t.Fatal(err)
		}
		if v["format"] == "" && len(v["findings"].([]any)) == 0 {
			t.Error("no zone, and no finding:", a)
		}
		delete(v, "id")
		noNull(t, a, v)
	}
}

func noNull(t *testing.T, answer string, v any) {
	t.Helper()
	switch v := v.(type) {
	case nil:
		t.Error("null in", answer)
	case []any:
		for _, e := range v {
			noNull(t, answer, e)
		}
	case map[string]any:
		for key, e := range v {
			if key != strings.ToLower(key) {
				t.Error(key, "in", answer)
			}
			noNull(t, answer, e)
		}
	}
}

// BenchmarkMRZBatch is the time for one line of a batch, its answer included.
func BenchmarkMRZBatch(b *testing.B) {
	q, err := json.Marshal(map[string]any{"id": 1, "lines": strings.Fields(specimen)})
	if err != nil {
		b.Fatal(err)
	}
	in := strings.Repeat(string(q)+"\n", b.N)
	b.ReportAllocs()
	b.ResetTimer()
	env := command.Env{Stdin: strings.NewReader(in), Stdout: io.Discard, Stderr: io.Discard}
	if code := command.Run(b.Context(), env, "lintas", "", cli.Commands(), []string{"mrz", "--json", "--batch"}); code != 0 {
		b.Fatal(code)
	}
}

// A zone that somebody gives as a file's name is not repeated.
func TestMRZNamesNoZone(t *testing.T) {
	for _, name := range []string{"L898902C36UTO7408122F1204159ZE184226B00000010", "P<UTOERIKSSON", "i<utod231458907<<<<<<"} {
		out, talk, code := lintas(t, "", "mrz", name)
		if code != 1 || strings.Contains(out+talk, name) {
			t.Errorf("exit %d, %q %q", code, out, talk)
		}
	}
}
