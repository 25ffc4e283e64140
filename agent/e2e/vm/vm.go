// Package vm tests scanners on real USB: a virtual machine boots Debian's own
// kernel, and its drivers find devices that QEMU plugs in and pulls out. It has
// no code of its own.
//
// `make vm` runs it. The tests need QEMU, a static busybox and the kernel's
// package unpacked, which configs/ci/vm.sh fetches; without they are skipped.
//
//	host                                      guest
//	test ── QMP ──► QEMU: USB controller  ──► ftdi_sio, usbhid … /dev/ttyUSB0
//	  │  └─ socket ► usb-serial                 │  └─ mdev: names as udev gives them
//	  ├──◄ console ──────────────── kernel      ▼
//	  ├──◄ port scans ───────────── scans as JSON lines
//	  ├──◄ port log ─────────────── states      of the readers
//	  └──► port shell ───────────── gadgets: dummy_hcd plays HID and CDC devices
//
// No test sleeps: each step waits for what the guest reports of the one before.
package vm
