package configs

import "embed"

// Schemas holds the JSON Schemas (2020-12) of the wire contract: event.json,
// ack.json, state.json, and record.<type>.json for every record.
//
//go:embed schema/*.json
var Schemas embed.FS
