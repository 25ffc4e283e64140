package watch_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"lintas/agent/crossing"
	"lintas/agent/e2e/servers"
	"lintas/agent/hub"
	"lintas/agent/hub/watch"
)

func TestMain(m *testing.M) { os.Exit(servers.Main(m)) }

func scrape(t *testing.T, w *watch.Watch) string {
	t.Helper()
	r := httptest.NewRecorder()
	w.Metrics().ServeHTTP(r, httptest.NewRequest("GET", "/metrics", nil))
	if r.Code != 200 {
		t.Fatal(r.Code, r.Body)
	}
	return r.Body.String()
}

// world is a ledger with one counter, which has sent what nobody can read and
// has said how it is.
func world(t *testing.T, db string, connected *bool) (*watch.Watch, *hub.Ledger) {
	t.Helper()
	dir := t.TempDir()
	if err := hub.InitKeys(dir); err != nil {
		t.Fatal(err)
	}
	key := filepath.Join(dir, "counter.jwk")
	if _, _, err := crossing.LoadOrCreatePrivateKey(key); err != nil {
		t.Fatal(err)
	}
	keys := hub.NewKeyRing(dir)
	if _, err := keys.Trust("CGK-T3-D07", key); err != nil {
		t.Fatal(err)
	}
	l, err := hub.OpenLedger(t.Context(), db)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	if _, err := l.Ingest(t.Context(), keys, []hub.Delivery{{Counter: "CGK-T3-D07", Sealed: []byte("junk")}}); err != nil {
		t.Fatal(err)
	}
	if _, err := l.Ack(t.Context(), "CGK-T3-D07"); err != nil {
		t.Fatal(err)
	}
	oldest := crossing.TimeOf(time.Unix(1_800_000_000, 0))
	said := crossing.State{Counter: "CGK-T3-D07", Online: true, QueueDepth: 42, QueueOldest: &oldest, ListAge: 3600}
	if err := l.KeepStates(t.Context(), map[string]string{"CGK-T3-D07": string(said.Marshal())}); err != nil {
		t.Fatal(err)
	}
	w := watch.New(l, func() bool { return *connected }, slog.New(slog.DiscardHandler))
	w.Opened("crossing.departure", 1500*time.Millisecond)
	w.Opened("of a later version", -time.Second)
	return w, l
}

func TestWatch(t *testing.T) {
	for name, db := range map[string]func(*testing.T) string{
		"sqlite":   func(t *testing.T) string { return filepath.Join(t.TempDir(), "ledger.db") },
		"postgres": func(t *testing.T) string { return servers.Schema(t) },
	} {
		t.Run(name, func(t *testing.T) {
			connected := true
			w, l := world(t, db(t), &connected)
			text := scrape(t, w)
			for _, want := range []string{
				`lintas_hub_events_total{type="crossing.departure"} 1`,
				`lintas_hub_events_total{type="crossing.return"} 0`,
				`lintas_hub_events_total{type="other"} 1`,
				`lintas_hub_event_lag_seconds_bucket{le="3"} 2`,
				`lintas_hub_aside{reason="unreadable"} 1`,
				`lintas_hub_unopened{reason=""} 0`,
				`lintas_hub_counter_last_heard_timestamp_seconds{counter="CGK-T3-D07"} 0`,
				`lintas_hub_counter_queue_depth{counter="CGK-T3-D07"} 42`,
				`lintas_hub_counter_oldest_unconfirmed_timestamp_seconds{counter="CGK-T3-D07"} 1.8e+09`,
				`lintas_hub_counter_online{counter="CGK-T3-D07"} 1`,
				`lintas_hub_broker_connected 1`, `lintas_hub_ledger_up 1`,
			} {
				if !strings.Contains(text, want+"\n") {
					t.Errorf("missing: %s", want)
				}
			}
			// Every metric that an alert looks at is there.
			rules, err := os.ReadFile("../../../configs/alerts.yaml")
			if err != nil {
				t.Fatal(err)
			}
			for _, metric := range regexp.MustCompile(`lintas_hub_\w+`).FindAllString(string(rules), -1) {
				if !strings.Contains(text, "\n"+metric) {
					t.Errorf("an alert looks at %s", metric)
				}
			}
			health := func() string {
				r := httptest.NewRecorder()
				w.Health(r, httptest.NewRequest("GET", "/healthz", nil))
				var h struct{ Ledger, Broker string }
				if err := json.Unmarshal(r.Body.Bytes(), &h); err != nil {
					t.Fatal(err)
				}
				return fmt.Sprintf("%d %s %s", r.Code, h.Ledger, h.Broker)
			}
			if got := health(); got != "200 ok ok" {
				t.Error(got)
			}
			connected = false
			if got := health(); !strings.HasPrefix(got, "503") || !strings.HasSuffix(got, "unreachable") {
				t.Error(got)
			}
			l.Close()
			if got := health(); strings.Count(got, "unreachable") != 2 {
				t.Error(got)
			}
			if text := scrape(t, w); !strings.Contains(text, "lintas_hub_ledger_up 0\n") || !strings.Contains(text, "lintas_hub_broker_connected 0\n") {
				t.Error("a scrape without the ledger")
			}
		})
	}
}

// scenario is what promtool holds the rules against.
const scenario = `rule_files: [alerts.yaml]
evaluation_interval: 1m
tests:
  - interval: 1m
    input_series:
      - {series: 'up{job="lintas-hub"}', values: '1x3000'}
      - {series: 'lintas_hub_aside{reason="equivocation"}', values: '0x1500 1x1500'}
      - {series: 'lintas_hub_counter_last_heard_timestamp_seconds{counter="A"}', values: '0x3000'}
      - {series: 'lintas_hub_counter_last_heard_timestamp_seconds{counter="B"}', values: '0+60x3000'}
      - {series: 'lintas_hub_counter_oldest_unconfirmed_timestamp_seconds{counter="B"}', values: '0+60x3000'}
      - {series: 'lintas_hub_counter_oldest_unconfirmed_timestamp_seconds{counter="C"}', values: '0x3000'}
      - {series: 'lintas_hub_counter_online{counter="C"}', values: '1x3000'}
    alert_rule_test:
      - {eval_time: 23h, alertname: LintasCounterSilent, exp_alerts: []}
      - eval_time: 25h
        alertname: LintasCounterSilent
        exp_alerts:
          - exp_labels: {severity: warning, counter: A}
            exp_annotations: {summary: Nothing has come from counter A for a day., description: A counter that is switched on sends at least that it has started.}
      - {eval_time: 24h, alertname: LintasEquivocation, exp_alerts: []}
      - eval_time: 2h
        alertname: LintasCounterBehind
        exp_alerts:
          - exp_labels: {severity: warning, counter: C}
            exp_annotations: {summary: Counter C is connected and has events of more than an hour ago that are not confirmed., description: Its chain may be stopped by an event that is kept aside. lintas-hub ledger gaps.}
      - {eval_time: 2h, alertname: LintasHubDown, exp_alerts: []}
`

// The alert rules are what Prometheus takes, and fire when they should.
func TestAlertRules(t *testing.T) {
	promtool, err := exec.LookPath("promtool")
	if errors.Is(err, exec.ErrNotFound) {
		t.Skip("promtool is not installed: make setup")
	} else if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	rules, err := os.ReadFile("../../../configs/alerts.yaml")
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{"alerts.yaml": string(rules), "test.yaml": scenario} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, args := range [][]string{{"check", "rules", "alerts.yaml"}, {"test", "rules", "test.yaml"}} {
		cmd := exec.Command(promtool, args...)
		cmd.Dir = dir
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Errorf("promtool %s: %v\n%s", strings.Join(args, " "), err, out)
		}
	}
}
