package reports

import (
	"strings"
	"testing"
)

// Only what is gone, or was left for a reason that is told, is a good end.
func TestUnmended(t *testing.T) {
	cell := func(status Status, detail, remediation string) Gathered {
		return Gathered{Cells: []Cell{{Place: inTests, Rule: closed, Status: status, Detail: detail, Remediation: remediation}}}
	}
	finding := func(status, detail string) Gathered {
		g := cell(NonCompliant, "", "automatic")
		g.Findings = []Finding{{Place: inTests, Rule: closed, ResourceType: "AWS::EC2::SecurityGroup", ResourceID: "sg-1", Status: NonCompliant, RemediationStatus: status, RemediationDetail: detail}}
		return g
	}
	for name, test := range map[string]struct {
		g    Gathered
		left int
		want string // of the one note; "" for none
	}{
		"compliant":            {cell(Compliant, "", "automatic"), 0, ""},
		"nothing there":        {cell(InsufficientData, "nothing in scope", "automatic"), 0, ""},
		"not evaluated":        {cell(InsufficientData, "not evaluated yet", "automatic"), 0, "has no verdict: not evaluated yet"},
		"rule error":           {cell(InsufficientData, "rule error: denied", "automatic"), 0, "rule error: denied"},
		"cannot be entered":    {cell(AccessDenied, "denied", ""), 0, "is ACCESS_DENIED: denied"},
		"not deployed":         {cell(NotDeployed, "", ""), 0, "is NOT_DEPLOYED: no reason given"},
		"not automatic":        {cell(Compliant, "", "manual"), 0, "not remediated automatically there (manual)"},
		"remediation not read": {cell(Compliant, "", ""), 0, "the remediation could not be read"},
		"in use":               {finding("NONE", "left as it is: in use: eni-1"), 1, ""},
		"exempt by a tag":      {finding("EXCEPTED", "left as it is: exempt (tag rollout-exempt)"), 1, ""},
		"excepted":             {finding("EXCEPTED", "an exception keeps it from remediation"), 1, ""},
		"nothing to do":        {finding("FIXED", "nothing was left to do at 2026-11-24T12:00:00Z; not evaluated again yet"), 0, ""},
		"fixed, no new word":   {finding("FIXED", "ended well; not evaluated again yet"), 0, "sg-1: remediation FIXED (ended well"},
		"failed":               {finding("FAILED", "step Revoke: denied"), 0, "AWS::EC2::SecurityGroup sg-1: remediation FAILED (step Revoke: denied)"},
		"still at fault":       {finding("SUCCEEDED", "still non-compliant"), 0, "remediation SUCCEEDED (still"},
		"never tried":          {finding("NONE", ""), 0, "sg-1: remediation NONE"},
		"could not be read":    {finding("NONE", "what became of the remediation could not be read: denied"), 0, "could not be read: denied"},
		"under way":            {finding("IN_PROGRESS", "runs"), 0, "remediation IN_PROGRESS (runs)"},
	} {
		notes, left := Unmended(test.g, func(string, string, string) bool { return true })
		if left != test.left || (len(notes) == 1) != (test.want != "") || test.want != "" && !strings.Contains(notes[0].Why, test.want) {
			t.Errorf("%s: %+v, %d left", name, notes, left)
		}
		if notes, left := Unmended(test.g, func(string, string, string) bool { return false }); notes != nil || left != 0 {
			t.Errorf("%s, not remediated: %+v, %d left", name, notes, left)
		}
	}
}
