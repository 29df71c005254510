package reports

import (
	"fmt"
	"slices"
	"strings"
)

// Unmended says of places in which findings are remediated automatically what has not
// come to a good end: everything but a finding that is gone, or that the remediation
// left as it is for a reason that it gives; left counts the latter. automatic says where
// a rule's findings are to be remediated; other cells say nothing.
func Unmended(g Gathered, automatic func(account, region, rule string) bool) (notes []PlaceNote, left int) {
	note := func(p Place, format string, args ...any) {
		notes = append(notes, PlaceNote{p, fmt.Sprintf(format, args...)})
	}
	for _, c := range g.Cells {
		if !automatic(c.Account.ID, c.Region, c.Rule.Name) {
			continue
		}
		switch {
		case !c.Status.Verdict():
			note(c.Place, "%s is %s: %s", c.Rule.Name, c.Status, orText(c.Detail, "no reason given"))
		case c.Status == InsufficientData && c.Detail != nothingInScope:
			note(c.Place, "%s has no verdict: %s", c.Rule.Name, orText(c.Detail, "no reason given"))
		case c.Remediation != "automatic":
			note(c.Place, "the findings of %s are not remediated automatically there (%s)", c.Rule.Name, orText(c.Remediation, "the remediation could not be read"))
		}
	}
	for _, f := range g.Findings {
		if !automatic(f.Account.ID, f.Region, f.Rule.Name) {
			continue
		}
		switch {
		case f.RemediationStatus == remediationExcepted, f.RemediationStatus == remediationNone && strings.HasPrefix(f.RemediationDetail, leftAsItIs):
			left++
		case f.RemediationStatus == remediationFixed && strings.HasPrefix(f.RemediationDetail, nothingToDo):
			// AWS Config has no reason to look again, so its verdict stays behind.
		default:
			note(f.Place, "%s %s: remediation %s%s", f.ResourceType, f.ResourceID, f.RemediationStatus, because(f.RemediationDetail))
		}
	}
	slices.SortStableFunc(notes, func(a, b PlaceNote) int { return a.Place.Compare(b.Place) })
	return notes, left
}

func because(detail string) string {
	if detail == "" {
		return ""
	}
	return " (" + detail + ")"
}
