package config

import (
	"fmt"
	"strings"

	"filippo.io/age"
	"github.com/pelletier/go-toml/v2/unstable"
)

// recipients checks whom records are encrypted to. age refuses to mix recipients
// that withstand a quantum computer with those that do not, since the message
// would be as weak as the weakest; better here than at the first traveller.
func recipients(items []value) (wrong []complaint) {
	const where = `copy it as "lintas-hub keys" prints it`
	first := ""
	seen := map[string]bool{}
	for i, item := range items {
		if item.kind == unstable.Invalid {
			continue
		}
		complain := func(format string, a ...any) {
			wrong = append(wrong, complaint{item.line, fmt.Sprintf("recipient %d ", i+1) + fmt.Sprintf(format, a...)})
		}
		if isIdentity(item.text) {
			complain("is a secret identity, which never belongs on a counter; make a new one at the hub and write its public age1… here")
			continue
		}
		kind := recipientKind(item.text)
		switch {
		case kind == "":
			complain("is not an age recipient; " + where)
		case seen[item.text]:
			complain("stands in the list twice")
		case first == "":
			first = kind
		case kind != first:
			complain("is %s, the first one is %s; all must be of one kind", kind, first)
		}
		seen[item.text] = true
	}
	return wrong
}

// recipientKind is "" for what is no recipient.
func recipientKind(s string) string {
	if strings.ContainsFunc(s, func(r rune) bool { return r <= ' ' || r == '#' }) {
		return ""
	}
	found, err := age.ParseRecipients(strings.NewReader(s))
	if err != nil || len(found) != 1 {
		return ""
	}
	switch found[0].(type) {
	case *age.X25519Recipient:
		return "classic (age1…)"
	case *age.HybridRecipient:
		return "post-quantum (age1pq1…)"
	}
	return ""
}
