package main

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"

	"lintas/agent/command"
	"lintas/agent/crossing"
	"lintas/agent/hub/feed"
)

func recipientsCommand() *command.Command {
	return &command.Command{
		Name: "recipients", Summary: "Say who is handed crossings, and which.",
		Sub: []*command.Command{recipientsAddCommand()},
	}
}

var recipientName = regexp.MustCompile(`^[a-z0-9-]{1,64}$`)

// recipientFile is what a new recipient's file says.
const recipientFile = `# A system that crossings are handed on to. The running hub notices changes.

# The SHA-256 of its bearer token; the hub does not have the token.
token_sha256 = %q
# Or, with --http-client-ca, the common name of its client certificate, or "sha256:" and its fingerprint.
#certificate = "siskop2mi.example"

# Its share; what is left out does not restrict it. Destination, agency and
# province are the placement's: a crossing of which no placement is known is in
# no share that they restrict.
#types = ["crossing.departure", "crossing.return", "crossing.voided", "crossing.amended"]
#destinations = ["HKG", "TWN"]
#agencies = ["P3MI-1"]
#provinces = ["NTT"]

# The fields that it sees, of the record (configs/schema/record.crossing.*.json) and of the
# placement (placement_id, status, agency_id, destination, province, regency). Give no more than it needs.
fields = ["issuing_state", "document_number", "journey", "placement_id", "status"]
`

func recipientsAddCommand() *command.Command {
	var dir string
	return &command.Command{
		Name: "add", Args: "NAME", Summary: "Make a recipient's file and its bearer token.",
		Help: "The token is printed once and kept nowhere. The file NAME.toml says what the recipient's share is and\n" +
			"which fields it sees: edit it. Delete the file and the recipient is none any more.",
		Flags: func(fs *flag.FlagSet) {
			fs.StringVar(&dir, "recipients", defaultRecipients, "`folder` of recipients")
		},
		Run: func(_ context.Context, env command.Env, args []string) error {
			if len(args) != 1 || !recipientName.MatchString(args[0]) {
				return command.UsageError("recipients add takes a name of small letters, digits and -")
			}
			if err := os.MkdirAll(dir, 0o700); err != nil {
				return fmt.Errorf("cannot add recipient: %w", err)
			}
			path := filepath.Join(dir, args[0]+".toml")
			if _, err := os.Stat(path); !errors.Is(err, fs.ErrNotExist) {
				return fmt.Errorf("cannot add recipient: %s is there already", path)
			}
			token := rand.Text() + rand.Text()
			sum := sha256.Sum256([]byte(token))
			text := fmt.Appendf(nil, recipientFile, hex.EncodeToString(sum[:]))
			if _, err := feed.ParseRecipient(args[0], text); err != nil {
				return err
			}
			if err := crossing.WriteFile(path, text, 0o600); err != nil {
				return fmt.Errorf("cannot add recipient: %w", err)
			}
			fmt.Fprintf(env.Stderr, "made %s; the token, which is kept nowhere:\n", path)
			_, err := fmt.Fprintln(env.Stdout, token)
			return err
		},
	}
}
