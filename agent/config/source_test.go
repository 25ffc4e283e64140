package config_test

import (
	"strings"
	"testing"

	"lintas/agent/config"
)

func TestListSources(t *testing.T) {
	for _, c := range []struct{ source, want string }{
		{"mqtt:", ""}, {"file:/media/usb/list", ""}, {"file:///media/usb", ""}, {"https://lists.example/lintas", ""}, {"http://127.0.0.1:8080/l", ""},
		{"mqtt://broker.example", "the broker is the one of [broker]"},
		{"file:usb", "must be an absolute path"}, {"file://host/usb", "must be an absolute path"},
		{"http://lists.example", "write https"}, {"https://me:secret@lists.example", "no user name"},
		{"/media/usb", "must be an address"}, {"ftp://lists.example", "must be an address"}, {"", "must be an address"}, {"https://", "must be an address"},
	} {
		_, err := config.Parse("lintas.toml", []byte(mustHave(t)+"\n[list]\nsources = [\""+c.source+"\"]\n"), nil)
		switch {
		case c.want == "" && err != nil:
			t.Errorf("%s: %v", c.source, err)
		case c.want != "" && (err == nil || !strings.Contains(err.Error(), "list.sources: source 1: ") || !strings.Contains(err.Error(), c.want)):
			t.Errorf("%s: %v", c.source, err)
		case err != nil && strings.Contains(err.Error(), "secret"):
			t.Errorf("a password is repeated: %v", err)
		}
	}
}
