// Package e2e tests the programs as they are shipped: whole processes, a real
// broker, a real pseudo-terminal, real files. It has no code of its own.
package e2e
