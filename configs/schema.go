package configs

import "embed"

// Schemas holds the JSON Schemas (2020-12) of the wire contract: event.json,
// tombstone.json, ack.json, state.json, and record.<type>.json for every record;
// and rules.json of the list's rules.
//
//go:embed schema/*.json
var Schemas embed.FS

// AsyncAPI describes channels, operations and messages of the wire contract,
// AsyncAPI 3.0; it refers to Schemas.
//
//go:embed asyncapi.yaml
var AsyncAPI []byte
