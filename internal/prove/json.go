package prove

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"regexp"
	"strings"
	"time"
)

type reportJSON struct {
	Rollout      string       `json:"rollout_version"`
	Run          string       `json:"run"`
	Started      string       `json:"started"`
	Ended        string       `json:"ended"`
	Simulated    bool         `json:"simulated"`
	Redacted     bool         `json:"redacted"`
	Organization string       `json:"organization_id"`
	Management   string       `json:"management_account_id"`
	CallAs       string       `json:"call_as"`
	OU           string       `json:"ou_id"`
	Accounts     []string     `json:"accounts"`
	Partition    string       `json:"partition"`
	Region       string       `json:"region"`
	Lines        []lineJSON   `json:"lines"`
	Claims       []resultJSON `json:"claims"`
	Left         []Leftover   `json:"left"`
}

type lineJSON struct {
	ID      string   `json:"id"`
	Section string   `json:"section"`
	Text    string   `json:"text"`
	Verdict Verdict  `json:"verdict"`
	Why     string   `json:"why"`
	Claims  []string `json:"claims"`
}

type resultJSON struct {
	Name       string   `json:"name"`
	Text       string   `json:"text"`
	Documented bool     `json:"documented"`
	Lines      []string `json:"lines"`
	Verdict    Verdict  `json:"verdict"`
	Observed   string   `json:"observed"`
	Calls      []Call   `json:"calls"`
}

// JSONOptions says what the JSON is marked with and whether ids are replaced.
type JSONOptions struct {
	Version   string
	Simulated bool
	Redact    bool
}

// WriteJSON writes the report. It holds no name, address or identity: the ARN of
// who called is cut where the name begins. Redact replaces the ids too.
func (r *Report) WriteJSON(w io.Writer, o JSONOptions) error {
	p := r.Options
	out := reportJSON{
		Rollout: o.Version, Run: p.Run, Started: r.Started.Format(time.RFC3339), Ended: r.Ended.Format(time.RFC3339), Simulated: o.Simulated, Redacted: o.Redact,
		Organization: p.Organization, Management: p.Management, CallAs: string(p.CallAs), OU: p.OU, Accounts: ids(p.Accounts),
		Partition: p.Session.Partition, Region: p.Session.HomeRegion,
		Lines: []lineJSON{}, Claims: []resultJSON{}, Left: append([]Leftover{}, r.Left...),
	}
	for _, l := range r.Lines {
		line := lineJSON{ID: l.ID, Section: l.Section, Text: l.Text, Verdict: l.Verdict, Why: l.Why, Claims: []string{}}
		for _, x := range l.Results {
			line.Claims = append(line.Claims, x.Name)
		}
		out.Lines = append(out.Lines, line)
	}
	for _, x := range r.Results {
		out.Claims = append(out.Claims, resultJSON{x.Name, x.Text, x.Documented, append([]string{}, x.Lines...), x.Verdict, x.Observed, append([]Call{}, x.Calls...)})
	}
	var text strings.Builder
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	if err := encoder.Encode(out); err != nil {
		return fmt.Errorf("write the report of a proof: %w", err)
	}
	clean := anonymous(text.String())
	if o.Redact {
		clean = redact(clean, p.Organization)
	}
	_, err := io.WriteString(w, clean)
	return err
}

var (
	// An identity is named in AWS's refusals: user/jane, assumed-role/Admin/jane@….
	identity = regexp.MustCompile(`(arn:[a-z-]+:(?:iam|sts)::\d{12}:(?:user|assumed-role|federated-user|role))/[^\s"\\,]+`)
	address  = regexp.MustCompile(`[A-Za-z0-9._%+-]+@[A-Za-z0-9.-]+\.[A-Za-z]{2,}`)
	theIDs   = regexp.MustCompile(`\bou-[0-9a-z]{4,32}-[a-z0-9]{8,32}\b|\bo-[a-z0-9]{10,32}\b|\br-[0-9a-z]{4,32}\b|\b\d{12}\b`)
)

// anonymous takes names of people and roles out, but for the names that a run makes.
func anonymous(text string) string {
	text = identity.ReplaceAllStringFunc(text, func(s string) string {
		if strings.Contains(s, "/"+Prefix) || strings.Contains(s, "role/stacksets-exec-") {
			return s
		}
		return identity.FindStringSubmatch(s)[1] + "/…"
	})
	return address.ReplaceAllString(text, "…@…")
}

// redact replaces ids by hashes: the same id has the same hash in every report of
// one organization, whose own id is the key.
func redact(text, key string) string {
	return theIDs.ReplaceAllStringFunc(text, func(id string) string {
		mac := hmac.New(sha256.New, []byte("rollout prove "+key))
		mac.Write([]byte(id))
		kind := "account"
		if before, _, ok := strings.Cut(id, "-"); ok {
			kind = map[string]string{"ou": "ou", "o": "organization", "r": "root"}[before]
		}
		return kind + "#" + hex.EncodeToString(mac.Sum(nil))[:10]
	})
}
