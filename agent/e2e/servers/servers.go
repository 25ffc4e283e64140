// Package servers starts the real servers that tests talk to, PostgreSQL and
// mosquitto, in folders of their own and on the loopback, and ends them. Only
// tests use it; where a server is not installed they are skipped.
package servers

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"
)

// FreePort gives a port of the loopback on which nobody listens.
func FreePort(t testing.TB) int {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port
}

// Mosquitto starts a broker with a configuration that says where it listens,
// and waits until it does. The process is killed at the end of the test.
func Mosquitto(t testing.TB, port int, conf string) *exec.Cmd {
	t.Helper()
	program, err := exec.LookPath("mosquitto")
	if err != nil {
		program = "/usr/sbin/mosquitto" // where not everybody looks
		if _, err := os.Stat(program); err != nil {
			t.Skip("mosquitto is not installed: make setup")
		}
	}
	if os.Geteuid() == 0 {
		conf += "\nuser root\n" // it would give up its rights and then could not read the test's folder
	}
	file := filepath.Join(t.TempDir(), "mosquitto.conf")
	if err := os.WriteFile(file, []byte(conf), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(program, "-c", file)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { cmd.Process.Kill(); cmd.Wait() })
	await(t, "the broker", func() bool {
		c, err := net.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", port))
		if err == nil {
			c.Close()
		}
		return err == nil
	})
	return cmd
}

func await(t testing.TB, what string, up func() bool) {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); !up(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("%s does not come up", what)
		}
	}
}
