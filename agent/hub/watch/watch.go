// Package watch tells how a hub and its counters are: metrics for Prometheus,
// and whether the hub is healthy. Nothing of a traveller is in either; the
// labels are counters, event types and reasons, all of them bounded by what the
// hub trusts.
package watch

import (
	"context"
	"encoding/json"
	"log/slog"
	"net/http"
	"slices"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"lintas/agent/crossing"
	"lintas/agent/hub"
)

// within bounds how long the ledger may take to answer a scrape.
const within = 10 * time.Second

// Watch holds a hub's metrics.
type Watch struct {
	ledger    *hub.Ledger
	connected func() bool
	logger    *slog.Logger
	registry  *prometheus.Registry

	events *prometheus.CounterVec
	lag    prometheus.Histogram
}

// New makes the metrics of a hub; connected tells whether it is connected to its
// broker.
func New(ledger *hub.Ledger, connected func() bool, logger *slog.Logger) *Watch {
	w := &Watch{
		ledger: ledger, connected: connected, logger: logger, registry: prometheus.NewRegistry(),
		events: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "lintas_hub_events_total",
			Help: "Events that this hub has opened since it started, by type."}, []string{"type"}),
		lag: prometheus.NewHistogram(prometheus.HistogramOpts{Name: "lintas_hub_event_lag_seconds",
			Help:    "From an event's own time to its arrival, of the events that this hub has opened since it started.",
			Buckets: []float64{0.1, 0.3, 1, 3, 10, 60, 600, 3600, 6 * 3600, 24 * 3600, 7 * 24 * 3600}}),
	}
	w.registry.MustRegister(w.events, w.lag, ledgerCollector{w}, collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	for _, t := range crossing.Types() {
		w.events.WithLabelValues(string(t))
	}
	return w
}

// Opened counts one event that was opened.
func (w *Watch) Opened(kind string, lag time.Duration) {
	if !slices.Contains(crossing.Types(), crossing.Type(kind)) {
		kind = "other" // a later version's; labels are bounded
	}
	w.events.WithLabelValues(kind).Inc()
	w.lag.Observe(max(lag, 0).Seconds())
}

// Metrics is GET /metrics.
func (w *Watch) Metrics() http.Handler {
	return promhttp.HandlerFor(w.registry, promhttp.HandlerOpts{ErrorLog: slog.NewLogLogger(w.logger.Handler(), slog.LevelWarn), ErrorHandling: promhttp.ContinueOnError})
}

// health is what GET /healthz answers.
type health struct {
	Ledger string `json:"ledger"`
	Broker string `json:"broker"`
}

// Health is GET /healthz.
func (w *Watch) Health(out http.ResponseWriter, r *http.Request) {
	ctx, stop := context.WithTimeout(r.Context(), within)
	defer stop()
	h, code := health{"ok", "ok"}, http.StatusOK
	if _, err := w.ledger.FeedEnd(ctx); err != nil {
		h.Ledger, code = "unreachable", http.StatusServiceUnavailable
	}
	if !w.connected() {
		h.Broker, code = "unreachable", http.StatusServiceUnavailable
	}
	out.Header().Set("Content-Type", "application/json")
	out.Header().Set("Cache-Control", "no-store")
	out.WriteHeader(code)
	json.NewEncoder(out).Encode(h)
}

// ledgerCollector asks the ledger when it is scraped.
type ledgerCollector struct{ *Watch }

func desc(name, help string, labels ...string) *prometheus.Desc {
	return prometheus.NewDesc("lintas_hub_"+name, help, labels, nil)
}

var (
	connectedDesc = desc("broker_connected", "Whether this hub is connected to its broker.")
	upDesc        = desc("ledger_up", "Whether the ledger answers.")
	asideDesc     = desc("aside", "Events kept aside and not decided on, by reason.", "reason")
	unopenedDesc  = desc("unopened", "Records that are not open yet (reason \"\") or cannot be opened.", "reason")
	owedDesc      = desc("owed", "Positions of which only a tombstone came.")
	feedDesc      = desc("feed_last", "The last number of the feed.")
	heardDesc     = desc("counter_last_heard_timestamp_seconds", "When something of a counter's chains last came; 0: never.", "counter")
	onlineDesc    = desc("counter_online", "Whether the counter says that it is connected to the broker.", "counter")
	depthDesc     = desc("counter_queue_depth", "Events that the hub has not confirmed, as the counter says.", "counter")
	oldestDesc    = desc("counter_oldest_unconfirmed_timestamp_seconds", "When the oldest of them was recorded, as the counter says; none if there is none.", "counter")
	listDesc      = desc("counter_list_age_seconds", "How old the counter's placement list was when it last said so.", "counter")
)

// Describe sends what the collector knows.
func (c ledgerCollector) Describe(to chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{connectedDesc, upDesc, asideDesc, unopenedDesc, owedDesc, feedDesc, heardDesc, onlineDesc, depthDesc, oldestDesc, listDesc} {
		to <- d
	}
}

// Collect asks the ledger.
func (c ledgerCollector) Collect(to chan<- prometheus.Metric) {
	ctx, stop := context.WithTimeout(context.Background(), within)
	defer stop()
	gauge := func(d *prometheus.Desc, value float64, labels ...string) {
		to <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, value, labels...)
	}
	truth := map[bool]float64{true: 1}
	gauge(connectedDesc, truth[c.connected()])
	s, err := c.ledger.Gauges(ctx)
	gauge(upDesc, truth[err == nil])
	if err != nil {
		c.logger.Warn("cannot read the ledger for metrics", "error", err)
		return
	}
	gauge(owedDesc, float64(s.Owed))
	gauge(feedDesc, float64(s.Feed))
	for reason, n := range s.Aside {
		gauge(asideDesc, float64(n), reason)
	}
	for reason, n := range s.Unopened {
		gauge(unopenedDesc, float64(n), reason)
	}
	for counter, at := range s.Heard {
		value := 0.0
		if !at.IsZero() {
			value = float64(at.UnixMilli()) / 1000
		}
		gauge(heardDesc, value, counter)
	}
	for counter, said := range s.States {
		gauge(onlineDesc, truth[said.Online], counter)
		gauge(depthDesc, float64(said.QueueDepth), counter)
		gauge(listDesc, float64(said.ListAge), counter)
		if at := said.QueueOldest; at != nil {
			gauge(oldestDesc, float64(at.UnixMilli())/1000, counter)
		}
	}
}
