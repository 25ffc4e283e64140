// Package specimen makes test documents: machine-readable zones of invented
// holders, printed in OCR-B, as strips, data pages and scanned A4 pages, with
// the wear that printers and scanners add. Tests, the demonstration and the
// trainer of package ocr use it; it is in no shipped program.
package specimen
