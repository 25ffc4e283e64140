package counter_test

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"log/slog"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/uuid"

	"lintas/agent/counter"
	"lintas/agent/crossing"
	"lintas/agent/health"
	"lintas/agent/placement"
	"lintas/agent/verdict"
	"lintas/devices"
	"lintas/mrz"
	"lintas/queue"
)

// memory is a queue and recorder whose disk a test can break.
type memory struct {
	events []queue.Event
	types  []crossing.Type
	recs   []crossing.Record
	broken atomic.Bool
	limit  int  // refuses to hold more events; 0: no limit
	lying  bool // stores, and then says that it could not
	acked  uint64
}

var errDisk = errors.New("disk is full")

func (m *memory) Record(_ context.Context, id uuid.UUID, t crossing.Type, r crossing.Record, note []byte) (queue.Receipt, error) {
	if m.broken.Load() || m.limit > 0 && len(m.events) >= m.limit {
		return queue.Receipt{}, errDisk
	}
	receipt := queue.Receipt{ID: queue.ID(id), Sequence: uint64(len(m.events) + 1), At: time.Now()}
	m.events = append(m.events, queue.Event{Receipt: receipt, Note: note})
	m.types, m.recs = append(m.types, t), append(m.recs, r)
	if m.lying {
		return queue.Receipt{}, errDisk
	}
	return receipt, nil
}

func (m *memory) Find(_ context.Context, id queue.ID) (queue.Event, error) {
	for _, e := range m.events {
		if e.ID == id {
			return e, nil
		}
	}
	return queue.Event{}, queue.ErrNotFound
}

func (m *memory) Acknowledged() uint64 { return m.acked }
func (m *memory) Head() queue.Head     { return queue.Head{Sequence: uint64(len(m.events))} }

func (m *memory) Probe(context.Context) error {
	if m.broken.Load() {
		return errDisk
	}
	return nil
}

func (m *memory) Events(_ context.Context, from uint64) iter.Seq2[queue.Event, error] {
	return func(yield func(queue.Event, error) bool) {
		for _, e := range m.events {
			if e.Sequence >= from && !yield(e, nil) {
				return
			}
		}
	}
}

// last says what was recorded last, and about which inspection.
func (m *memory) last() (crossing.Type, counter.Note) {
	n, err := counter.ReadNote(m.events[len(m.events)-1].Note)
	if err != nil {
		panic(err)
	}
	return m.types[len(m.types)-1], n
}

// list answers every look-up with what a test put in.
type list struct {
	found placement.Found
	err   error
}

func (l *list) Find(context.Context, mrz.Document) (placement.Found, error) { return l.found, l.err }

type desk struct {
	*counter.Counter
	t    *testing.T
	mem  *memory
	list *list
	log  *bytes.Buffer
	o    counter.Options
}

func newDesk(t *testing.T, edit ...func(*counter.Options)) *desk {
	d := &desk{t: t, mem: &memory{}, list: &list{found: placement.Found{ListPresent: true, List: placement.Info{Version: 7, Time: time.Now()}}}, log: &bytes.Buffer{}}
	d.o = counter.Options{
		ID: "CGK-T3-D07", Direction: verdict.Departure, Confirm: counter.ByOfficer, AbandonAfter: 10 * time.Minute, RepeatAfter: 5 * time.Minute,
		Recorder: d.mem, List: d.list, Queue: d.mem, Health: health.NewBoard(), ShiftKey: make([]byte, 32),
		Logger: slog.New(slog.NewTextHandler(d.log, &slog.HandlerOptions{Level: slog.LevelDebug})),
	}
	for _, e := range edit {
		e(&d.o)
	}
	d.Counter = counter.New(d.o)
	return d
}

// failAfter lets n more events be written.
func (d *desk) failAfter(n int) { d.mem.limit = len(d.mem.events) + n }

const canary = "KENARIKUNING"

func lines(t *testing.T, number string) []string {
	t.Helper()
	l, err := mrz.Fields{DocumentCode: "P", IssuingState: "IDN", Nationality: "IDN", DocumentNumber: number, Primary: canary, Secondary: "AYU",
		Sex: "F", DateOfBirth: mrz.Date{Year: 1991, Month: 2, Day: 27}, DateOfExpiry: mrz.Date{Year: 2033, Month: 10, Day: 19}}.Lines(mrz.TD3)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func (d *desk) swipe(number string) {
	d.Scan(devices.Scan{Scanner: "passport", Status: devices.Complete, Lines: lines(d.t, number), First: time.Now(), Last: time.Now()})
}

func (d *desk) decide(decision verdict.Decision) error {
	return d.Decide(context.Background(), counter.Choice{Inspection: d.View().Current.ID, Decision: decision})
}

func TestInspectionBecomesACrossing(t *testing.T) {
	d := newDesk(t)
	d.swipe("ZZ1234567")
	v := d.View()
	if v.Current == nil || v.Current.Verdict.Code != verdict.None || v.Current.Document.Name.Primary() != canary {
		t.Fatalf("shown: %+v", v)
	}
	if typ, n := d.mem.last(); typ != crossing.InspectionOpened || n.Document != "Z•••567" {
		t.Fatalf("recorded %s %+v", typ, n)
	}
	id := v.Current.ID
	if err := d.decide(verdict.Proceed); err != nil {
		t.Fatal(err)
	}
	if typ, n := d.mem.last(); typ != crossing.Departure || n.Inspection != id || n.Decision != verdict.Proceed || n.DecidedBy != "officer" {
		t.Fatalf("recorded %s %+v", typ, n)
	}
	v = d.View()
	if v.Current != nil || len(v.History) != 1 || !v.History[0].Crossing || v.History[0].Confirmed {
		t.Fatalf("shown after: %+v", v)
	}
	if err := d.Decide(t.Context(), counter.Choice{Inspection: id, Decision: verdict.Refer}); !errors.Is(err, counter.ErrDecided) {
		t.Errorf("a second decision: %v", err)
	}
	d.mem.acked = 2
	if !d.View().History[0].Confirmed {
		t.Error("the hub's confirmation is not shown")
	}
	if text := fmt.Sprintf("%+v %v", d.View(), d.mem.recs); strings.Contains(text, canary) || strings.Contains(d.log.String(), canary) {
		t.Error("the traveller is still to be found")
	}
}

// No verdict is shown that is not recorded; nothing can be decided until the
// disk works again; then work goes on by itself.
func TestDiskThatCannotBeWritten(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDesk(t)
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		scans := make(chan devices.Scan)
		go d.Run(ctx, scans, nil)
		d.swipe("ZZ1234567")
		d.mem.broken.Store(true)
		if err := d.decide(verdict.Proceed); !errors.Is(err, errDisk) {
			t.Fatalf("decided with a broken disk: %v", err)
		}
		if v := d.View(); v.Fault == "" || v.Current == nil {
			t.Fatalf("shown: %+v", v)
		}
		d.swipe("ZZ7654321")
		if v := d.View(); len(v.Waiting) != 0 {
			t.Fatal("a verdict is shown that was not recorded")
		}
		if a := d.o.Health.Active(); len(a) != 1 || a[0].Code != health.CannotRecord {
			t.Fatalf("health: %v", a)
		}
		d.mem.broken.Store(false)
		time.Sleep(3 * time.Second)
		synctest.Wait()
		if v := d.View(); v.Fault != "" {
			t.Fatal("the fault did not go away")
		}
		if err := d.decide(verdict.Proceed); err != nil {
			t.Fatal(err)
		}
		if len(d.mem.events) != 2 {
			t.Fatalf("%d events", len(d.mem.events))
		}
	})
}

func TestSecondSwipe(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDesk(t)
		d.swipe("ZZ0000001")
		d.swipe("ZZ0000002")
		d.swipe("ZZ0000001") // within the minute: the same inspection, in front
		d.swipe("ZZ0000002")
		v := d.View()
		if len(d.mem.events) != 2 || len(v.Waiting) != 1 || v.Current.Document.DocumentNumber != "ZZ0000002" {
			t.Fatalf("%d events, %+v", len(d.mem.events), v)
		}
		if err := errors.Join(d.decide(verdict.Proceed), d.decide(verdict.Proceed)); err != nil {
			t.Fatal(err)
		}
		d.swipe("ZZ0000001") // after the decision: Q02
		if r := d.View().Current.Verdict.Reasons[0].Code; r != verdict.Q02 {
			t.Fatalf("reason %s", r)
		}
		if err := d.decide(verdict.NotTravelling); err != nil {
			t.Fatal(err)
		}
		if typ, n := d.mem.last(); typ != crossing.InspectionAbandoned || n.Decision != verdict.NotTravelling {
			t.Fatalf("recorded %s %+v", typ, n)
		}
		time.Sleep(5*time.Minute + time.Second)
		d.swipe("ZZ0000001")
		if r := d.View().Current.Verdict.Reasons[0].Code; r != verdict.N01 {
			t.Fatalf("after the window: %s", r)
		}
	})
}

// A write with an unknown outcome is never followed by a second, different
// event, and the page shows the one that is in the chain.
func TestDecisionWithUnknownOutcome(t *testing.T) {
	d := newDesk(t)
	d.swipe("ZZ1234567")
	id := d.View().Current.ID
	d.mem.lying = true
	if err := d.decide(verdict.Proceed); !errors.Is(err, errDisk) {
		t.Fatalf("got %v", err)
	}
	d.mem.lying = false
	err := d.Decide(t.Context(), counter.Choice{Inspection: id, Decision: verdict.Refer})
	if !errors.Is(err, counter.ErrDecided) {
		t.Fatalf("another decision after it: %v", err)
	}
	v := d.View()
	if len(d.mem.events) != 2 || v.Current != nil || v.Fault != "" || v.History[0].Decision != verdict.Proceed || v.History[0].Sequence != 2 {
		t.Fatalf("%d events, shown %+v", len(d.mem.events), v)
	}

	// An inspection that was opened by a write that seemed to fail is ended.
	d.mem.lying = true
	d.swipe("ZZ1111111")
	d.mem.lying = false
	if v := d.View(); v.Current != nil || v.Fault == "" {
		t.Fatalf("shown: %+v", v)
	}
	d.Tick()
	if typ, n := d.mem.last(); typ != crossing.InspectionAbandoned || n.Document != "Z•••111" {
		t.Fatalf("recorded %s %+v", typ, n)
	}
	if rec := d.mem.recs[len(d.mem.recs)-1].(*crossing.Abandoned); rec.Reason != "fault" {
		t.Errorf("abandoned because of %q", rec.Reason)
	}
	before := len(d.mem.events)
	d.mem.broken.Store(true)
	d.swipe("ZZ2222222") // and one that was not opened is forgotten
	d.mem.broken.Store(false)
	d.Tick()
	d.Tick()
	if len(d.mem.events) != before {
		t.Fatal("an inspection was ended that was never opened")
	}

	// And one that was not stored is not in the way of another decision.
	d.swipe("ZZ7654321")
	d.mem.broken.Store(true)
	if err := d.decide(verdict.Proceed); err == nil {
		t.Fatal("decided with a broken disk")
	}
	d.mem.broken.Store(false)
	if err := d.decide(verdict.Refer); err != nil {
		t.Fatal(err)
	}
	if typ, n := d.mem.last(); typ != crossing.InspectionAbandoned || n.Decision != verdict.Refer {
		t.Fatalf("recorded %s %+v", typ, n)
	}
}

// Another traveller's document never meets the verdict of the one before,
// whatever the two have in common.
func TestTravellersAreNotMixedUp(t *testing.T) {
	zone := func(number, name string, day int) []string {
		l, err := mrz.Fields{DocumentCode: "P", IssuingState: "IDN", Nationality: "IDN", DocumentNumber: cmp.Or(number, "X"), Primary: name, Sex: "F",
			DateOfBirth: mrz.Date{Year: 1991, Month: 2, Day: day}, DateOfExpiry: mrz.Date{Year: 2033, Month: 10, Day: 19}}.Lines(mrz.TD3)
		if err != nil {
			t.Fatal(err)
		}
		if number == "" { // no issuer does this, and every digit is right
			l[1] = "<<<<<<<<<0" + l[1][10:43]
			digit, ok := mrz.CheckDigit(l[1][:10] + l[1][13:20] + l[1][21:43])
			if !ok {
				t.Fatal("no check digit")
			}
			l[1] += string(digit)
		}
		return l
	}
	misread := func(l []string) []string { return []string{l[0], "X" + l[1][1:]} }
	stop := placement.Found{ListPresent: true, List: placement.Info{Time: time.Now()}, Negatives: []placement.Negative{{Until: mrz.Date{Year: 2999, Month: 1, Day: 1}}}}
	for _, c := range []struct {
		name          string
		first, second []string
		found         placement.Found
	}{
		{"same number, other person", zone("ZZ1234567", "SITI", 1), zone("ZZ1234567", "BUDI", 2), placement.Found{}},
		{"neither has a number", zone("", "SITI", 1), zone("", "BUDI", 2), placement.Found{}},
		{"a misread stop, then a stranger", misread(zone("ZZ1234567", "SITI", 1)), zone("ZZ7654321", "BUDI", 2), stop},
		{"a misread stop, then itself", misread(zone("ZZ1234567", "SITI", 1)), zone("ZZ1234567", "SITI", 1), stop},
		{"a misread document, then a stranger", misread(zone("ZZ1234567", "SITI", 1)), zone("ZZ7654321", "BUDI", 2), placement.Found{}},
	} {
		t.Run(c.name, func(t *testing.T) {
			d := newDesk(t)
			d.list.found = c.found
			scan := func(l []string) { d.Scan(devices.Scan{Status: devices.Complete, Lines: l, Last: time.Now()}) }
			scan(c.first)
			first := d.View().Current.ID
			scan(c.second)
			v := d.View()
			if v.Current == nil || v.Current.ID != first || len(v.Waiting) != 1 || len(v.History) != 0 {
				t.Fatalf("after both: current %v, %d waiting, %d ended", v.Current != nil, len(v.Waiting), len(v.History))
			}
			if err := d.decide(verdict.Proceed); err != nil {
				t.Fatal(err)
			}
			for _, r := range d.View().Current.Verdict.Reasons {
				if r.Code == verdict.Q02 {
					t.Error("the second is taken for the first")
				}
			}
		})
	}
}

func TestUnreadable(t *testing.T) {
	d := newDesk(t)
	d.Scan(devices.Scan{Status: devices.Partial, Lines: lines(t, "ZZ1234567")[:1]})
	if v := d.View(); v.Notice == nil || v.Current != nil || len(d.mem.events) != 0 {
		t.Fatalf("half a swipe: %+v", v)
	}
	bad := lines(t, "ZZ1234567")
	bad[1] = "ZZ1234568" + bad[1][9:]
	d.Scan(devices.Scan{Status: devices.Complete, Lines: bad})
	if v := d.View(); v.Current == nil || v.Current.Verdict.Code != verdict.Unsure || v.Notice != nil {
		t.Fatalf("a misread document: %+v", v)
	}
	d.swipe("ZZ1234567") // read well the second time: the first reading is over
	v := d.View()
	if v.Current == nil || v.Current.Verdict.Code != verdict.None || len(v.Waiting) != 0 {
		t.Fatalf("after the second swipe: %+v", v)
	}
	if typ, n := d.mem.last(); typ != crossing.InspectionAbandoned || n.DecidedBy != "agent" {
		t.Fatalf("recorded %s %+v", typ, n)
	}
}

func TestNobodyDecides(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDesk(t)
		ctx, cancel := context.WithCancel(t.Context())
		go d.Run(ctx, make(chan devices.Scan), nil)
		d.swipe("ZZ0000001")
		time.Sleep(9 * time.Minute)
		d.swipe("ZZ0000002")
		time.Sleep(2 * time.Minute)
		if v := d.View(); v.Current == nil || v.Current.Document.DocumentNumber != "ZZ0000002" || len(v.History) != 1 {
			t.Fatalf("%+v", v)
		}
		if typ, n := d.mem.last(); typ != crossing.InspectionAbandoned || n.Decision != "" || n.DecidedBy != "agent" {
			t.Fatalf("recorded %s %+v", typ, n)
		}
		cancel()
		drain, stop := context.WithTimeout(t.Context(), 5*time.Second)
		defer stop()
		d.Drain(drain)
		if v := d.View(); v.Current != nil {
			t.Fatal("an inspection is still open after the end")
		}
		before := len(d.mem.events)
		d.swipe("ZZ0000003")
		if len(d.mem.events) != before {
			t.Error("a scan was taken after the end")
		}
	})
}

func TestAuto(t *testing.T) {
	d := newDesk(t, func(o *counter.Options) { o.Confirm, o.Direction = counter.Auto, verdict.Return })
	d.swipe("ZZ0000001")
	if typ, n := d.mem.last(); typ != crossing.Return || n.DecidedBy != "auto" {
		t.Fatalf("recorded %s %+v", typ, n)
	}
	for name, found := range map[string]placement.Found{
		"ask":    {ListPresent: true, List: placement.Info{Time: time.Now()}, OtherPaper: true},
		"stop":   {ListPresent: true, List: placement.Info{Time: time.Now()}, Negatives: []placement.Negative{{Until: mrz.Date{Year: 2999, Month: 1, Day: 1}}}},
		"unsure": {},
	} {
		d.list.found = found
		d.swipe("ZZ-" + name)
		if v := d.View(); v.Current == nil || string(v.Current.Verdict.Code) != name {
			t.Fatalf("%s does not wait for an officer: %+v", name, v)
		}
		if err := d.decide(verdict.HandedOver); err != nil {
			t.Fatal(err)
		}
	}
}

// What could not be recorded without an officer is recorded when the disk
// works again.
func TestAutoAfterAFault(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDesk(t, func(o *counter.Options) { o.Confirm = counter.Auto })
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		d.Scan(devices.Scan{Status: devices.Partial})
		d.failAfter(1) // the inspection is written, the crossing is not
		d.swipe("ZZ0000001")
		if v := d.View(); v.Fault == "" || v.Current == nil || v.Notice != nil {
			t.Fatalf("%+v", v)
		}
		d.mem.limit = 0
		go d.Run(ctx, make(chan devices.Scan), nil)
		time.Sleep(5 * time.Second)
		synctest.Wait()
		if typ, n := d.mem.last(); typ != crossing.Departure || n.DecidedBy != "auto" {
			t.Fatalf("recorded %s %+v", typ, n)
		}
		if v := d.View(); v.Current != nil || v.Fault != "" {
			t.Fatalf("%+v", v)
		}
	})
}

func TestNewShift(t *testing.T) {
	d := newDesk(t)
	d.swipe("ZZ0000001")
	if err := d.decide(verdict.Proceed); err != nil {
		t.Fatal(err)
	}
	_, before := d.mem.last()
	d.NewShift([]byte("another key"))
	d.swipe("ZZ0000001")
	if r := d.View().Current.Verdict.Reasons[0].Code; r != verdict.N01 {
		t.Errorf("the new shift remembers the old one's travellers: %s", r)
	}
	if _, after := d.mem.last(); after.Tag == before.Tag {
		t.Error("the tags of two shifts can be compared")
	}
}

func TestNegativeEntrySurvivesAFailedLookUp(t *testing.T) {
	d := newDesk(t)
	d.list.err = errors.New("list is damaged")
	d.list.found = placement.Found{Negatives: []placement.Negative{
		{Until: mrz.Date{Year: 2020, Month: 1, Day: 1}, Contact: "an office that is closed"},
		{Until: mrz.Date{Year: 2999, Month: 1, Day: 1}, Contact: "the right one"}}}
	d.swipe("ZZ0000001")
	if v := d.View(); v.Current.Verdict.Code != verdict.Stop || v.Current.Contact != "the right one" {
		t.Fatalf("verdict %v, contact %q", v.Current.Verdict, v.Current.Contact)
	}
}

func TestLookUpThatFailsIsUnsure(t *testing.T) {
	d := newDesk(t)
	d.list.err = errors.New("list is damaged")
	d.swipe("ZZ0000001")
	if v := d.View(); v.Current.Verdict.Code != verdict.Unsure {
		t.Fatalf("verdict %v", v.Current.Verdict)
	}
	var rec struct {
		Verdict     string
		ListVersion int64 `json:"list_version"`
	}
	b, err := json.Marshal(d.mem.recs[0])
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(b, &rec); err != nil || rec.Verdict != "unsure" || rec.ListVersion != 0 {
		t.Fatalf("recorded %s", b)
	}
}

func TestDirection(t *testing.T) {
	d := newDesk(t, func(o *counter.Options) { o.Direction = "" })
	d.swipe("ZZ0000001")
	if err := d.decide(verdict.Proceed); !errors.Is(err, counter.ErrDirection) {
		t.Fatalf("without a direction: %v", err)
	}
	if err := d.SetDirection(t.Context(), "sideways"); !errors.Is(err, counter.ErrDirection) {
		t.Errorf("a direction that is none: %v", err)
	}
	if err := d.SetDirection(t.Context(), verdict.Return); err != nil {
		t.Fatal(err)
	}
	d.swipe("ZZ0000002") // from now on; the open one keeps what it had
	if v := d.View(); v.Current.Direction != "" || v.Waiting[0].Direction != verdict.Return {
		t.Fatalf("%+v", v)
	}
	err := d.Decide(t.Context(), counter.Choice{Inspection: d.View().Current.ID, Decision: "wave through"})
	if !errors.Is(err, counter.ErrDecision) {
		t.Errorf("a decision that is none: %v", err)
	}
	fixed := newDesk(t)
	if err := fixed.SetDirection(t.Context(), verdict.Return); !errors.Is(err, counter.ErrDirection) {
		t.Errorf("a fixed direction was changed: %v", err)
	}
}

// After a crash: the history is there, what was open is ended, and a document
// that just crossed is recognised.
func TestRestore(t *testing.T) {
	d := newDesk(t)
	d.swipe("ZZ0000001")
	if err := d.decide(verdict.Proceed); err != nil {
		t.Fatal(err)
	}
	d.swipe("ZZ0000002") // and then the power fails
	open := d.View().Current.ID

	next := counter.New(d.o)
	if err := next.Restore(t.Context(), d.mem); err != nil {
		t.Fatal(err)
	}
	if typ, n := d.mem.last(); typ != crossing.InspectionAbandoned || n.Inspection != open {
		t.Fatalf("recorded %s %+v", typ, n)
	}
	v := next.View()
	if v.Current != nil || len(v.History) != 2 || v.History[1].Decision != verdict.Proceed || v.History[0].ID != open {
		t.Fatalf("%+v", v)
	}
	d.Counter = next
	d.swipe("ZZ0000001")
	if r := next.View().Current.Verdict.Reasons[0].Code; r != verdict.Q02 {
		t.Errorf("reason %s", r)
	}
	// A disk that is full at the start delays that, and does not prevent it.
	d.swipe("ZZ0000003")
	d.mem.broken.Store(true)
	late := counter.New(d.o)
	if err := late.Restore(t.Context(), d.mem); err != nil {
		t.Fatal(err)
	}
	if late.View().Fault == "" {
		t.Error("nothing says that the disk is full")
	}
	d.mem.broken.Store(false)
	late.Tick()
	if typ, _ := d.mem.last(); typ != crossing.InspectionAbandoned {
		t.Errorf("recorded %s", typ)
	}
	third := counter.New(d.o)
	if err := third.Restore(t.Context(), d.mem); err != nil {
		t.Fatal(err)
	}
	ended := 0
	for _, typ := range d.mem.types {
		if typ == crossing.InspectionAbandoned {
			ended++
		}
	}
	if ended != 3 { // the second restart ends only what the first one's life left open
		t.Errorf("%d inspections were ended by the agent", ended)
	}
}
