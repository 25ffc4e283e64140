package plug

// Uses is what a report descriptor says about a device.
var Uses = uses
