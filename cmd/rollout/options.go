package main

import (
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"log/slog"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"rollout/orgs"
	"rollout/stackset"
)

// options are the checked options of a command; those that a command does not
// have keep their zero value.
type options struct {
	Profile, HomeRegion, CallAs, ExternalID, EndpointURL string
	RoleNames                                            []string
	ExpectOrganization                                   string
	Sim, Simulated                                       bool

	Selector orgs.Selector
	Regions  []string
	named    []string // rollout prove's own choice of accounts

	Template, StackSet  string
	PermissionsBoundary string
	Parameters, Tags    map[string]string
	Remediation         stackset.Remediation
	ReuseExisting       bool
	// WithoutPreflight and Verbose are of a plan only.
	WithoutPreflight, Verbose bool

	Preferences  stackset.Preferences
	Prune        bool
	AutoDeploy   stackset.AutoDeploy
	MaxDeletions string
	MaxBlast     string // "" where it is not said
	Canary       string // "" for the default
	Pricing      pricing
	BlastRadius  bool
	Yes          bool
	// Save is where a plan is kept; Kept is the one that --plan gives, nil without.
	Save string
	Kept *planFile

	Out, SimTruth, Org string
	Formats            []string
	Settle             time.Duration

	Output         string
	Quiet, NoColor bool
	LogLevel       slog.Level

	Run     string
	Started time.Time
	Command string
}

// readOptions checks what can be checked without a call.
func readOptions(c *cli.Context) (options, error) {
	started := time.Now().UTC()
	o := options{
		Profile: c.String("profile"), HomeRegion: c.String("home-region"), CallAs: c.String("call-as"),
		ExternalID: c.String("external-id"), EndpointURL: c.String("endpoint-url"), RoleNames: commaList(c, "role-name"),
		ExpectOrganization: c.String("expect-organization"), Sim: c.Bool("sim"), Simulated: c.Bool("simulated"),
		Selector: orgs.Selector{
			OUs: commaList(c, "ou"), ExcludeOUs: commaList(c, "exclude-ou"),
			Accounts: commaList(c, "account"), ExcludeAccounts: commaList(c, "exclude-account"),
			AccountTags: c.StringSlice("account-tag"), IncludeManagement: c.Bool("include-management"),
		},
		Regions: commaList(c, "region"), Template: c.String("template"), StackSet: c.String("stack-set"), PermissionsBoundary: c.String("permissions-boundary"),
		Remediation: stackset.Remediation(c.String("remediation")), ReuseExisting: c.Bool("reuse-existing"),
		Preferences: stackset.Preferences{MaxConcurrent: c.String("max-concurrent"), FailureTolerance: c.String("failure-tolerance"), Mode: c.String("concurrency-mode")},
		Prune:       c.Bool("prune"), MaxDeletions: c.String("max-deletions"), MaxBlast: c.String("max-blast"), Canary: c.String("canary"), BlastRadius: c.Bool("blast-radius"),
		Yes: c.Bool("yes"), Out: c.String("out"), SimTruth: c.String("sim-truth"), Org: c.String("org"), Formats: commaList(c, "format"), Settle: c.Duration("settle"),
		Output: c.String("output"), Quiet: c.Bool("quiet"), NoColor: c.Bool("no-color"),
		Run: runName(started), Started: started, Command: strings.Join(os.Args[min(1, len(os.Args)):], " "),
	}
	if v, set := os.LookupEnv("NO_COLOR"); set && v != "" {
		o.NoColor = true
	}
	var err error
	if o.Parameters, err = keyValues(c, "parameter"); err != nil {
		return o, err
	}
	if o.Tags, err = keyValues(c, "tag"); err != nil {
		return o, err
	}
	if o.AutoDeploy, err = autoDeployOf(c); err != nil {
		return o, err
	}
	if o.Pricing, err = readPricing(c); err != nil {
		return o, err
	}
	o.WithoutPreflight, o.Verbose = c.Command.Name == "plan" && !c.Bool("preflight"), c.Bool("verbose")
	if o.Save = c.String("save"); c.String("plan") != "" {
		if err := o.take(c, c.String("plan")); err != nil {
			return o, err
		}
	}
	return o, o.check(c)
}

// runName names a run by its time, with a few random digits so that two runs of
// the same second are told apart.
func runName(started time.Time) string {
	var b [2]byte
	rand.Read(b[:]) //nolint:errcheck // crypto/rand does not fail
	return started.Format("20060102T150405Z") + "-" + hex.EncodeToString(b[:])
}

var validName = regexp.MustCompile(`^[a-zA-Z][-a-zA-Z0-9]{0,127}$`)

// policyARN is a managed policy, an account's own or AWS's.
var policyARN = regexp.MustCompile(`^arn:aws[a-z-]*:iam::([0-9]{12}|aws):policy/[\x21-\x7e]+$`)

func (o *options) check(c *cli.Context) error {
	if err := oneOf("call-as", o.CallAs, "", "self", "delegated-admin"); err != nil {
		return err
	}
	if err := oneOf("output", o.Output, "", "text", "json", "jsonl"); err != nil {
		return err
	}
	if err := oneOf("remediation", string(o.Remediation), "", "off", "manual", "automatic"); err != nil {
		return err
	}
	if err := oneOf("concurrency-mode", o.Preferences.Mode, "", "soft", "strict"); err != nil {
		return err
	}
	for name, value := range map[string]string{"max-concurrent": o.Preferences.MaxConcurrent, "failure-tolerance": o.Preferences.FailureTolerance} {
		if err := checkShare(name, value, name == "max-concurrent"); err != nil {
			return err
		}
	}
	if err := checkShare("max-deletions", o.MaxDeletions, false); err != nil {
		return err
	}
	if _, err := parseMaxBlast(o.MaxBlast); err != nil {
		return err
	}
	if err := checkCanary(o.Canary); err != nil {
		return err
	}
	if o.StackSet != "" && !validName.MatchString(o.StackSet) {
		return usageError{fmt.Sprintf("--stack-set %q: a StackSet's name is a letter, then letters, digits and hyphens, 128 at most", o.StackSet)}
	}
	if o.PermissionsBoundary != "" && !policyARN.MatchString(o.PermissionsBoundary) {
		return usageError{fmt.Sprintf("--permissions-boundary %q: give the ARN of an IAM policy, like arn:aws:iam::111122223333:policy/boundary", o.PermissionsBoundary)}
	}
	for _, f := range o.Formats {
		if err := oneOf("format", f, "csv", "html", "json"); err != nil {
			return err
		}
	}
	if o.Sim && o.EndpointURL != "" && c.IsSet("endpoint-url") && c.String("endpoint-url") != os.Getenv("AWS_ENDPOINT_URL") {
		return usageError{"--sim and --endpoint-url exclude each other: --sim is its own endpoint"}
	}
	if o.Settle < 0 {
		return usageError{fmt.Sprintf("--settle %s: a duration is not negative; 0 does not wait", o.Settle)}
	}
	if level := c.String("log-level"); level != "" {
		if err := o.LogLevel.UnmarshalText([]byte(level)); err != nil {
			return usageError{fmt.Sprintf("--log-level %q: use debug, info, warn or error", level)}
		}
	}
	return nil
}

func oneOf(name, value string, allowed ...string) error {
	if slices.Contains(allowed, value) {
		return nil
	}
	names := slices.DeleteFunc(slices.Clone(allowed), func(s string) bool { return s == "" })
	message := fmt.Sprintf("--%s %q: use %s", name, value, strings.Join(names[:len(names)-1], ", ")+" or "+names[len(names)-1])
	if near := nearest(value, names); near != "" {
		message += fmt.Sprintf("; did you mean %q?", near)
	}
	return usageError{message}
}

// checkShare checks "N" or "P%".
func checkShare(name, value string, atLeastOne bool) error {
	if value == "" {
		return nil
	}
	number, percent := strings.CutSuffix(value, "%")
	n, err := strconv.Atoi(number)
	low := 0
	if atLeastOne {
		low = 1
	}
	if err != nil || n < low || percent && n > 100 {
		return usageError{fmt.Sprintf("--%s %q: use a number of accounts from %d, or a percentage from %d%% to 100%%", name, value, low, low)}
	}
	return nil
}

// commaList reads an option that is repeatable and separated by commas. urfave's
// own splitting is off, since it would cut --parameter Key=a,b too.
func commaList(c *cli.Context, name string) []string {
	var out []string
	for _, value := range c.StringSlice(name) {
		for _, part := range strings.Split(value, ",") {
			if part = strings.TrimSpace(part); part != "" && !slices.Contains(out, part) {
				out = append(out, part)
			}
		}
	}
	return out
}

func keyValues(c *cli.Context, name string) (map[string]string, error) {
	out := map[string]string{}
	for _, pair := range c.StringSlice(name) {
		key, value, ok := strings.Cut(pair, "=")
		if !ok || key == "" {
			return nil, usageError{fmt.Sprintf("--%s %q: write KEY=VALUE", name, pair)}
		}
		if old, twice := out[key]; twice && old != value {
			return nil, usageError{fmt.Sprintf("--%s gives %s twice, as %q and as %q", name, key, old, value)}
		}
		out[key] = value
	}
	return out, nil
}
