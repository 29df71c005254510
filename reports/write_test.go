package reports

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/csv"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"rollout/orgs"
	"rollout/templates"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// nasty is a small report whose texts try everything: formulas, markup, line
// ends, direction marks, names of any script.
func nasty() *Report {
	root := &orgs.OU{ID: "r-ab12", Name: "Root"}
	work := &orgs.OU{ID: "ou-ab12-11111111", Name: "Workloads", Path: "Workloads", Parent: root}
	prod := &orgs.OU{ID: "ou-ab12-22222222", Name: "Prod <b>", Path: "Workloads/Prod <b>", Parent: work}
	rule := templates.Rule{
		Name: "rollout-vpc-default-security-group-closed", Identifier: "VPC_DEFAULT_SECURITY_GROUP_CLOSED", Title: "Default security groups are closed",
		ResourceTypes: []string{"AWS::EC2::SecurityGroup"},
		Controls:      []templates.Control{{Standard: "CIS", Version: "1.2.0", ID: "4.3"}, {Standard: "FSBP", Version: "1.0.0", ID: "EC2.2"}},
	}
	at := time.Date(2026, 11, 24, 9, 30, 0, 0, time.UTC)
	accounts := []*orgs.Account{
		{ID: "111111111111", Name: "=HYPERLINK(\"http://example.com\")", Email: "a@example.com", State: "ACTIVE", OU: root},
		{ID: "222222222222", Name: "</script><script>alert(1)</script>", State: "SUSPENDED", OU: work},
		{ID: "333333333333", Name: "日本語 \u202eevil\u202c \u2028 😀 \"quoted\", comma", State: "ACTIVE", OU: prod},
		{ID: "444444444444", Name: "@SUM(A1)\nsecond line", State: "ACTIVE", OU: prod},
		{ID: "555555555555", Name: strings.Repeat("very-long-", 12), State: "ACTIVE", OU: prod},
	}
	cell := func(i int, region string, status Status, n int, detail, source string) Cell {
		c := Cell{Place: Place{accounts[i], region}, Rule: rule, Status: status, NonCompliantResources: n, InstanceStatus: "SUCCEEDED", Remediation: "off", Detail: detail, SourceRule: source}
		if status.Verdict() && status != InsufficientData {
			c.LastEvaluated = at
		}
		return c
	}
	own := rule.Name
	r := &Report{
		Run: Run{Tool: "rollout test", Run: "20261124T093000Z", Command: "--ou Workloads --region eu-west-1,us-east-1", Started: at, Ended: at.Add(time.Minute),
			OrganizationID: "o-abcdefghij", Management: "999999999999", Caller: "arn:aws:sts::999999999999:assumed-role/Admin/me", HomeRegion: "us-east-1",
			Regions: []string{"eu-west-1", "us-east-1"}, Templates: []string{"default-security-group"}, StackSet: "rollout-default-security-group", Remediation: "off",
			Selection: "under Workloads", Notes: []string{"a <note>"}},
		Accounts: accounts, Regions: []string{"eu-west-1", "us-east-1"}, Rules: []templates.Rule{rule},
		Cells: []Cell{
			cell(0, "eu-west-1", NonCompliant, 2, "", own), cell(0, "us-east-1", Compliant, 0, "", "securityhub-vpc-default-security-group-closed-0a1b2c3d"),
			cell(1, "eu-west-1", AccountInactive, 0, "the account is SUSPENDED", ""), cell(1, "us-east-1", AccountInactive, 0, "the account is SUSPENDED", ""),
			cell(2, "eu-west-1", AccessDenied, 0, "no role could be assumed: +AccessDenied: <img src=x>", ""), cell(2, "us-east-1", RegionDisabled, 0, "us-east-1 is off in this account", ""),
			cell(3, "eu-west-1", InsufficientData, 0, "not evaluated yet", own), cell(3, "us-east-1", NotApplicable, 0, "", own),
			cell(4, "eu-west-1", RecorderOff, 0, "-stopped since 2026-01-01", ""), cell(4, "us-east-1", NotDeployed, 0, "no such rule", ""),
		},
		Findings: []Finding{
			{Place: Place{accounts[0], "eu-west-1"}, Rule: rule, ResourceType: "AWS::EC2::SecurityGroup", ResourceID: "sg-0123456789abcdef0", Status: NonCompliant, Annotation: "\tannotated", RemediationStatus: "FAILED", RemediationDetail: "step Empty: AccessDenied", LastEvaluated: at},
			{Place: Place{accounts[0], "eu-west-1"}, Rule: rule, ResourceType: "AWS::EC2::SecurityGroup", ResourceID: "sg-0fedcba9876543210", Status: NonCompliant, RemediationStatus: "NONE", LastEvaluated: at, Exception: "agreed until 2027"},
		},
	}
	return r
}

func TestGolden(t *testing.T) {
	dir := t.TempDir()
	paths, err := Write(dir, nasty(), nil)
	if err != nil {
		t.Fatal(err)
	}
	if len(paths) != 5 {
		t.Fatalf("wrote %v", paths)
	}
	for _, path := range paths {
		got, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if info, _ := os.Stat(path); info.Mode().Perm() != 0o600 {
			t.Errorf("%s has mode %v", path, info.Mode())
		}
		golden := filepath.Join("testdata", filepath.Base(path)+".golden")
		if *update {
			os.MkdirAll("testdata", 0o755)
			os.WriteFile(golden, got, 0o644)
		}
		want, err := os.ReadFile(golden)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(got, want) {
			t.Errorf("%s differs from %s; see the difference with -update and git diff", filepath.Base(path), golden)
		}
	}
	left, _ := filepath.Glob(filepath.Join(dir, ".*"))
	if len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}

func TestCSVIsSafeForSpreadsheetsAndKeepsItsColumns(t *testing.T) {
	var b bytes.Buffer
	if err := writeCompliance(&b, nasty()); err != nil {
		t.Fatal(err)
	}
	rows, err := csv.NewReader(&b).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	if got, want := strings.Join(rows[0], ","), "account_id,account_name,ou_path,account_state,region,rule,controls,status,non_compliant_resources,instance_status,instance_reason,remediation,last_evaluated,detail,source_rule"; got != want {
		t.Errorf("columns:\n%s\nwant:\n%s", got, want)
	}
	if len(rows) != 11 {
		t.Errorf("%d rows for 10 cells", len(rows)-1)
	}
	for _, row := range rows[1:] {
		for _, c := range row {
			if c != "" && strings.ContainsRune("=+-@\t\r", rune(c[0])) {
				t.Errorf("a spreadsheet takes %q for a formula", c)
			}
		}
	}
	if rows[1][1] != "'=HYPERLINK(\"http://example.com\")" || rows[1][6] != "CIS 1.2.0 4.3; FSBP 1.0.0 EC2.2" {
		t.Errorf("first row: %q", rows[1])
	}
}

func TestJSONKeepsTextsAsTheyAre(t *testing.T) {
	var b bytes.Buffer
	if err := writeJSON(&b, nasty()); err != nil {
		t.Fatal(err)
	}
	var r jsonReport
	if err := json.Unmarshal(b.Bytes(), &r); err != nil {
		t.Fatal(err)
	}
	if r.Accounts[0].Name != "=HYPERLINK(\"http://example.com\")" || len(r.Cells) != 10 || r.Totals.Covered != 4 || r.Totals.CoveragePercent != "40.0" || r.Totals.CoverageOnPercent != "44.4" || r.Totals.CompliancePercent != "50.0" {
		t.Errorf("totals %+v", r.Totals)
	}
}

func TestPageAsksForNothingAndRunsNothingElse(t *testing.T) {
	var b bytes.Buffer
	if err := writeHTML(&b, nasty()); err != nil {
		t.Fatal(err)
	}
	page := b.String()
	if m := regexp.MustCompile(`(?i)(src|href|action)\s*=\s*"(https?:)?//|@import|url\(\s*['"]?(https?:)?//`).FindString(page); m != "" {
		t.Errorf("asks for something from outside: %s", m)
	}
	if strings.Contains(page, "<script>alert") || strings.Contains(page, "<img src=x") || strings.Contains(page, " style=") || strings.Contains(page, "onclick") {
		t.Error("text from an account became markup, or there is an inline style or handler that the policy refuses")
	}
	policy := regexp.MustCompile(`Content-Security-Policy" content="([^"]*)"`).FindStringSubmatch(page)
	if policy == nil {
		t.Fatal("no policy")
	}
	for _, tag := range []string{"style", "script"} {
		block := regexp.MustCompile(`(?s)<`+tag+`>(.*?)</`+tag+`>`).FindAllStringSubmatch(page, -1)
		if len(block) != 1 {
			t.Fatalf("%d <%s> blocks", len(block), tag)
		}
		sum := sha256.Sum256([]byte(block[0][1]))
		// html/template writes + as &#43; in an attribute.
		want := strings.ReplaceAll(fmt.Sprintf("%s-src 'sha256-%s'", tag, base64.StdEncoding.EncodeToString(sum[:])), "+", "&#43;")
		if !strings.Contains(strings.ReplaceAll(policy[1], "&#39;", "'"), want) {
			t.Errorf("the policy %s does not allow the one <%s>: %s", policy[1], tag, want)
		}
	}
}

func TestVerdictNeverReadsFineUnlessSeen(t *testing.T) {
	for _, test := range []struct {
		totals Totals
		tone   string
	}{
		{Totals{}, "unknown"},
		{Totals{Cells: 3, Gaps: 3}, "unknown"},
		{Totals{Cells: 3, Covered: 2, Compliant: 2, Gaps: 1}, "unknown"},
		{Totals{Cells: 3, Covered: 3, Compliant: 2}, "unknown"},
		{Totals{Cells: 3, Covered: 3, Compliant: 2, NonCompliant: 1}, "bad"},
		{Totals{Cells: 3, Covered: 3, Compliant: 3}, "good"},
	} {
		if _, tone := verdict(test.totals); tone != test.tone {
			t.Errorf("%+v reads %s, want %s", test.totals, tone, test.tone)
		}
	}
}

func TestWriteRefusesAFolderThatCannotBeWritten(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	os.WriteFile(file, nil, 0o600)
	for _, dir := range []string{file, filepath.Join(file, "below")} {
		if err := CheckWritable(dir); err == nil || !strings.Contains(err.Error(), dir) {
			t.Errorf("%s: %v", dir, err)
		}
	}
}

func TestPercentReaches100OnlyWhenAllAreThere(t *testing.T) {
	for _, test := range []struct {
		part, whole int
		want        string
	}{{0, 0, ""}, {0, 5, "0.0"}, {9999, 10000, "99.9"}, {3, 3, "100.0"}, {1, 3, "33.3"}} {
		if got := percent(test.part, test.whole); got != test.want {
			t.Errorf("%d of %d: %q, want %q", test.part, test.whole, got, test.want)
		}
	}
}
