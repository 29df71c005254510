package main

import (
	"fmt"
	"io"
	"strings"

	"rollout/internal/restore"
	"rollout/internal/terminal"
	"rollout/templates"
)

// showSetting shows what the restore of a setting would do.
func showSetting(w io.Writer, s *restore.Setting) {
	fmt.Fprintf(w, "\n%s (%s), %s\nwhat it was: %s, changed %s\n", s.Resource, s.Kind, s.Place, s.Where, stampOf(s.Taken))
	for _, t := range s.Tried {
		fmt.Fprintf(w, "not from %s: %s\n", t.Source, t.Why)
	}
	for _, c := range s.Changes {
		fmt.Fprintf(w, "  %s\n", c)
	}
	if len(s.Changes) > 0 {
		for _, p := range s.Public {
			fmt.Fprintf(w, "  PUBLIC: %s\n", p)
		}
	}
	if len(s.Changes) == 0 {
		fmt.Fprintf(w, "  it is so already: %s\n", s.Now)
	}
}

// showRestore shows what a restore would do.
func showRestore(w io.Writer, p *restore.Plan) error {
	fmt.Fprintf(w, "\n%s (%s, %s), %s\nwhat it had: %s", p.GroupID, p.GroupName, p.VPCID, p.Place, p.Image.Where)
	if !p.Image.Taken.IsZero() {
		fmt.Fprintf(w, ", taken away %s", stampOf(p.Image.Taken))
	}
	fmt.Fprintln(w)
	for _, t := range p.Tried {
		fmt.Fprintf(w, "not from %s: %s\n", t.Source, t.Why)
	}
	exempt := "it will be tagged " + templates.ExemptTag + " first"
	if p.HasExempt {
		exempt = fmt.Sprintf("it is exempt already (%s=%s)", templates.ExemptTag, p.Exempt)
	}
	fmt.Fprintln(w, exempt)
	var rows [][]string
	for _, r := range p.Missing {
		rows = append(rows, ruleRow("put back", r))
	}
	for _, r := range p.Present {
		rows = append(rows, ruleRow("is there", r))
	}
	return terminal.Table(w, []string{"", "DIRECTION", "PROTOCOL", "PORTS", "PEER", "DESCRIPTION"}, rows)
}

func ruleRow(word string, r restore.Rule) []string {
	return []string{word, r.Direction(), r.ProtocolName(), r.Ports(), r.Peer, r.Description}
}

type restoredJSON struct {
	AccountID string     `json:"account_id"`
	Region    string     `json:"region"`
	Resource  string     `json:"resource"`
	Source    string     `json:"source"`
	Where     string     `json:"where"`
	Taken     string     `json:"taken"`
	Exempted  bool       `json:"exempted"`
	Restored  []ruleJSON `json:"restored"`
	Present   []ruleJSON `json:"present"`
	// Changes are those of what is no security group; Public is what they opened to the
	// public.
	Changes []string `json:"changes"`
	Public  []string `json:"public"`
}

type ruleJSON struct {
	Direction   string `json:"direction"`
	Protocol    string `json:"protocol"`
	Ports       string `json:"ports"`
	Peer        string `json:"peer"`
	Description string `json:"description"`
}

func rulesJSON(list []restore.Rule) []ruleJSON {
	out := []ruleJSON{}
	for _, r := range list {
		out = append(out, ruleJSON{r.Direction(), r.ProtocolName(), r.Ports(), r.Peer, r.Description})
	}
	return out
}

func restoredOf(p *restore.Plan) restoredJSON {
	return restoredJSON{
		AccountID: p.AccountID, Region: p.Region, Resource: p.GroupID, Source: string(p.Image.Source), Where: p.Image.Where, Taken: stampOf(p.Image.Taken),
		Restored: []ruleJSON{}, Present: rulesJSON(p.Present), Changes: []string{}, Public: []string{},
	}
}

func settingOf(s *restore.Setting, exempted bool) restoredJSON {
	row := restoredJSON{
		AccountID: s.AccountID, Region: s.Region, Resource: s.Resource, Source: string(s.Source), Where: s.Where, Taken: stampOf(s.Taken), Exempted: exempted,
		Restored: []ruleJSON{}, Present: []ruleJSON{}, Changes: append([]string{}, s.Changes...), Public: []string{},
	}
	if len(s.Changes) > 0 {
		row.Public = append(row.Public, s.Public...)
	}
	return row
}

// listWords joins words by commas.
func listWords[T ~string](list []T) string {
	words := make([]string, len(list))
	for i, w := range list {
		words[i] = string(w)
	}
	return strings.Join(words, ", ")
}

func showRestored(w io.Writer, list []restoredJSON) error {
	for _, r := range list {
		switch {
		case len(r.Changes) > 0:
			fmt.Fprintf(w, "%s: put back from %s, and seen\n", r.Resource, r.Source)
		case len(r.Restored) == 0 && len(r.Present) == 0:
			fmt.Fprintf(w, "%s: nothing to do, it is as it was\n", r.Resource)
		case len(r.Restored) == 0:
			fmt.Fprintf(w, "%s: nothing to do, it has all %d rules\n", r.Resource, len(r.Present))
		default:
			fmt.Fprintf(w, "%s: %d rules put back from %s, and seen\n", r.Resource, len(r.Restored), r.Source)
		}
	}
	return nil
}
