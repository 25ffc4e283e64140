package cli

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"os"
	"text/tabwriter"

	"lintas/agent/command"
	"lintas/agent/config"
	"lintas/devices/plug"
)

// plugged is a device as `lintas scanner list` shows it.
type plugged struct {
	Name string `json:"name"` // as the configuration would call it
	plug.Device
	Configured string `json:"configured"` // the scanner it is in the configuration; "" if none
	Profile    string `json:"profile"`    // that scanner's
}

// unplugged is a configured scanner without a device.
type unplugged struct {
	Configured string `json:"configured"`
	Port       string `json:"port"`
	Profile    string `json:"profile"`
	Reason     string `json:"reason"`
}

// scannerList is what `lintas scanner list --json` prints.
type scannerList struct {
	Devices []plugged   `json:"devices"`
	Missing []unplugged `json:"missing"`
}

func scannerListCommand() *command.Command {
	var path string
	var asJSON bool
	return &command.Command{
		Name: "list", Summary: "Show what is plugged in and what the configuration makes of it.",
		Help: "No device is opened for that. Exit status: 0 all configured scanners are there, 2 one is missing.",
		Flags: func(fs *flag.FlagSet) {
			configFlag(fs, &path)
			command.JSONFlag(fs, &asJSON)
		},
		Run: func(_ context.Context, env command.Env, args []string) error {
			if err := command.NoArguments(args); err != nil {
				return err
			}
			configured, err := scannersOf(env, path)
			if err != nil {
				return err
			}
			l, err := listScanners(configured)
			if err != nil {
				return err
			}
			if asJSON {
				err = command.JSON(env.Stdout, l)
			} else {
				err = l.print(env.Stdout)
			}
			if err == nil && len(l.Missing) > 0 {
				err = &command.Exit{Code: command.Warnings}
			}
			return err
		},
	}
}

// scannersOf are the configured scanners. A machine without a configuration has
// none yet.
func scannersOf(env command.Env, path string) ([]config.Scanner, error) {
	if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
		fmt.Fprintf(env.Stderr, "there is no configuration at %s yet\n", path)
		return nil, nil
	}
	cfg, err := loadConfig(env, path)
	if err != nil {
		return nil, err
	}
	return cfg.Scanners, nil
}

func listScanners(configured []config.Scanner) (scannerList, error) {
	l := scannerList{Devices: []plugged{}, Missing: []unplugged{}}
	all, err := plug.Discover("")
	if err != nil {
		return l, err
	}
	for _, d := range all {
		l.Devices = append(l.Devices, plugged{Name: d.Name(), Device: d})
	}
	for _, s := range configured {
		if reason := l.match(s); reason != "" {
			l.Missing = append(l.Missing, unplugged{s.Name, s.Port, s.Profile, reason})
		}
	}
	return l, nil
}

// match finds the device of a scanner, or says why there is none.
func (l *scannerList) match(s config.Scanner) (missing string) {
	kind := plug.Serial
	switch s.Profile {
	case "keyboard":
		kind = plug.Input
	case "hid-pos":
		kind = plug.HIDRaw
	case "folder":
		if _, err := os.Stat(s.Port); err != nil {
			return err.Error()
		}
		return ""
	}
	path, err := plug.Find(s.Port, kind)
	if err != nil {
		return err.Error()
	}
	for i := range l.Devices {
		if d := &l.Devices[i]; d.Path == path {
			d.Configured, d.Profile = s.Name, s.Profile
			return ""
		}
	}
	if _, err := os.Stat(path); err != nil {
		return err.Error()
	}
	// A port that is no device of its own: a pseudo-terminal, say.
	l.Devices = append(l.Devices, plugged{Name: s.Port, Device: plug.Device{Path: path, Kind: kind}, Configured: s.Name, Profile: s.Profile})
	return ""
}

func (l *scannerList) print(out io.Writer) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	if len(l.Devices) == 0 {
		fmt.Fprintln(w, "nothing that could be a scanner is plugged in")
	} else {
		fmt.Fprintln(w, "PORT\tKIND\tDEVICE\tSCANNER")
	}
	for _, d := range l.Devices {
		name := d.Manufacturer
		if name != "" && d.Model != "" {
			name += " "
		}
		scanner := "not configured"
		if d.Configured != "" {
			scanner = fmt.Sprintf("%s (%s)", d.Configured, d.Profile)
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\n", d.Name, d.Kind, name+d.Model, scanner)
	}
	for _, m := range l.Missing {
		fmt.Fprintf(w, "%s\tmissing\t\t%s (%s): %s\n", m.Port, m.Configured, m.Profile, m.Reason)
	}
	return w.Flush()
}
