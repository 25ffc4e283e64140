// Package configs holds everything Lintas ships that is not Go: the
// configuration file, the systemd units and drop-ins, the udev rules and the
// system user.
//
// It is embedded, so that one binary can print what belongs to it on the
// machine it runs on. The package knows nothing of what the files mean;
// lintas/agent/config reads the configuration.
package configs

import "embed"

// Default is lintas.toml as shipped. It is not a sample: every key that a
// counter's own file leaves out has the value that stands here.
//
//go:embed lintas.toml
var Default string

// System holds the files for the operating system, under their names in this
// folder.
//
//go:embed lintas.service lintas-unseal.service lintas-hub-list.service lintas-hub-list.timer lintas.sysusers lintas-hub.sysusers 60-lintas.rules dropin/*.conf
var System embed.FS

// OpenAPI describes what lintas-hub answers over HTTP.
//
//go:embed openapi.yaml
var OpenAPI string
