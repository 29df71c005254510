package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"rollout/orgs"
	"rollout/reports"
	"rollout/stackset"
	"rollout/templates"
)

// planFormat is the version of the form of a kept plan.
const planFormat = 1

// planFile is a plan that is kept: the wish, and all that it came to then. It is
// carried out only while the wish still comes to the same.
type planFile struct {
	Format       int       `json:"format"`
	Version      string    `json:"rollout_version"`
	Created      time.Time `json:"created"`
	Organization string    `json:"organization_id"`
	Caller       string    `json:"caller_account_id"`
	HomeRegion   string    `json:"home_region"`
	CallAs       string    `json:"call_as"`
	Simulated    bool      `json:"simulated"`

	Options planOptions       `json:"options"`
	Plan    stackset.JSONPlan `json:"plan"`
}

// planOptions are the options that say what is planned, by their own names.
type planOptions struct {
	OUs                 []string          `json:"ou,omitempty"`
	ExcludeOUs          []string          `json:"exclude-ou,omitempty"`
	Accounts            []string          `json:"account,omitempty"`
	ExcludeAccounts     []string          `json:"exclude-account,omitempty"`
	AccountTags         []string          `json:"account-tag,omitempty"`
	IncludeManagement   bool              `json:"include-management,omitempty"`
	Regions             []string          `json:"region"`
	Template            string            `json:"template"`
	StackSet            string            `json:"stack-set,omitempty"`
	Parameters          map[string]string `json:"parameter,omitempty"`
	Remediation         string            `json:"remediation"`
	PermissionsBoundary string            `json:"permissions-boundary,omitempty"`
	Tags                map[string]string `json:"tag,omitempty"`
	ReuseExisting       bool              `json:"reuse-existing"`
	MaxConcurrent       string            `json:"max-concurrent"`
	FailureTolerance    string            `json:"failure-tolerance"`
	ConcurrencyMode     string            `json:"concurrency-mode"`
	AutoDeploy          string            `json:"auto-deploy,omitempty"`
	Prune               bool              `json:"prune,omitempty"`
	MaxDeletions        string            `json:"max-deletions,omitempty"`
	MaxBlast            string            `json:"max-blast,omitempty"`
	Canary              string            `json:"canary,omitempty"`
	MaxCost             string            `json:"max-cost,omitempty"`
	// Prices is the text of --prices; PricesSHA256 is of the table that was used.
	Prices       string `json:"prices,omitempty"`
	PricesSHA256 string `json:"prices-sha256,omitempty"`
}

func keptFlag() cli.Flag {
	return text(how, "plan", "", "carry out the plan kept in `FILE` (rollout plan --save), and only while it is still true; it says what is chosen and deployed")
}

// canKeep refuses to write down what nobody may read.
func (j *job) canKeep() error {
	if j.WithoutPreflight {
		return usageError{"--save keeps what a deploy carries out, and a deploy looks into the accounts first: leave --preflight=false out"}
	}
	if info, err := os.Stat(j.Save); err == nil && info.IsDir() {
		return usageError{"--save " + j.Save + " is a folder: name a file in it"}
	}
	if _, err := os.Stat(filepath.Dir(j.Save)); err != nil {
		return usageError{fmt.Sprintf("--save %s: the folder %s is not there", j.Save, filepath.Dir(j.Save))}
	}
	asked, err := templates.LoadAll(j.Template)
	if err != nil {
		return err
	}
	for _, t := range templates.Together(asked) {
		for name, p := range t.Document().Parameters {
			if _, given := j.Parameters[name]; given && p.NoEcho {
				return usageError{fmt.Sprintf("--save: the value of parameter %s of template %s is NoEcho, and the file would show it; deploy without --save, or take the value from Secrets Manager in the template", name, t.Name)}
			}
		}
	}
	return nil
}

// keepPlan writes a plan to --save.
func (j *job) keepPlan(chosen *choice, plan *stackset.Plan) error {
	s, p := j.Selector, j.Preferences
	kept := planFile{
		Format: planFormat, Version: version(), Created: j.Started.Truncate(time.Second), Organization: chosen.tree.OrganizationID, Caller: j.session.Account,
		HomeRegion: j.session.HomeRegion, CallAs: string(chosen.callAs), Simulated: j.simulated,
		Options: planOptions{
			OUs: s.OUs, ExcludeOUs: s.ExcludeOUs, Accounts: s.Accounts, ExcludeAccounts: s.ExcludeAccounts, AccountTags: s.AccountTags,
			IncludeManagement: s.IncludeManagement, Regions: j.Regions, Template: j.Template, StackSet: j.StackSet, Parameters: j.Parameters,
			Remediation: string(orRemediation(j.Remediation)), PermissionsBoundary: j.PermissionsBoundary, Tags: j.Tags, ReuseExisting: j.ReuseExisting,
			MaxConcurrent: p.MaxConcurrent, FailureTolerance: p.FailureTolerance, ConcurrencyMode: p.Mode, AutoDeploy: autoDeployWords(j.AutoDeploy), Prune: j.Prune, MaxDeletions: j.MaxDeletions,
			MaxBlast: j.MaxBlast, Canary: j.Canary,
			MaxCost: j.Pricing.Max, Prices: j.Pricing.Text, PricesSHA256: j.Pricing.table().SHA256,
		},
		Plan: plan.JSON(),
	}
	if err := reports.WriteFile(j.Save, func(w io.Writer) error { return writeJSON(w, kept) }); err != nil {
		return fmt.Errorf("write --save %s: %w", j.Save, err)
	}
	j.out.Line("plan kept in %s; rollout deploy --plan %s carries it out while it is still true", j.Save, j.Save)
	return nil
}

// take reads a kept plan and takes over what it says.
func (o *options) take(c *cli.Context, path string) error {
	var given []string
	for _, f := range groups(whichFlags(), regionFlags(), deployFlags(), preferenceFlags(), pruneFlags(), automaticFlags(), costFlags()) {
		if name := f.Names()[0]; c.IsSet(name) {
			given = append(given, "--"+name)
		}
	}
	if given != nil {
		return usageError{fmt.Sprintf("--plan %s says what is chosen and deployed: leave %s out (or its ROLLOUT_… variable)", path, strings.Join(given, ", "))}
	}
	kept, err := readPlan(path)
	if err != nil {
		return err
	}
	for name, pair := range map[string][2]string{
		"home-region":         {o.HomeRegion, kept.HomeRegion},
		"expect-organization": {o.ExpectOrganization, kept.Organization},
	} {
		if pair[0] != "" && pair[0] != pair[1] {
			return usageError{fmt.Sprintf("--%s %s: the plan in %s is for %s", name, pair[0], path, pair[1])}
		}
	}
	w := kept.Options
	o.HomeRegion, o.ExpectOrganization, o.Kept = kept.HomeRegion, kept.Organization, kept
	o.Selector = orgs.Selector{OUs: w.OUs, ExcludeOUs: w.ExcludeOUs, Accounts: w.Accounts, ExcludeAccounts: w.ExcludeAccounts, AccountTags: w.AccountTags, IncludeManagement: w.IncludeManagement}
	o.Regions, o.Template, o.StackSet, o.Parameters, o.Tags = w.Regions, w.Template, w.StackSet, w.Parameters, w.Tags
	o.Remediation, o.PermissionsBoundary, o.ReuseExisting = stackset.Remediation(w.Remediation), w.PermissionsBoundary, w.ReuseExisting
	o.Prune, o.MaxDeletions, o.MaxBlast, o.Canary = w.Prune, w.MaxDeletions, w.MaxBlast, w.Canary
	if o.AutoDeploy, err = parseAutoDeploy(w.AutoDeploy); err != nil {
		return usageError{fmt.Sprintf("--plan %s: %s", path, err)}
	}
	o.Preferences = stackset.Preferences{MaxConcurrent: w.MaxConcurrent, FailureTolerance: w.FailureTolerance, Mode: w.ConcurrencyMode}
	return o.Pricing.keep(w, path)
}

// planLimit is far above the file of 170,000 changes, and bounds what is read.
const planLimit = 1 << 30

// readPlan reads a kept plan strictly: a member that is not known may have meant
// something to the version that wrote it.
func readPlan(path string) (*planFile, error) {
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, usageError{fmt.Sprintf("--plan %s: there is no such file; rollout plan --save writes one", path)}
	}
	if err != nil {
		return nil, fmt.Errorf("read --plan: %w", err)
	}
	defer f.Close()
	kept, err := decodePlan(io.LimitReader(f, planLimit))
	if err != nil {
		return nil, usageError{fmt.Sprintf("--plan %s: %s; rollout plan --save writes one", path, err)}
	}
	return kept, nil
}

// decodePlan reads and checks a kept plan.
func decodePlan(r io.Reader) (*planFile, error) {
	var kept planFile
	decoder := json.NewDecoder(r)
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&kept); err != nil {
		return nil, fmt.Errorf("it is not a kept plan: %w", err)
	}
	if _, err := decoder.Token(); err != io.EOF {
		return nil, errors.New("it is not a kept plan: something stands behind it")
	}
	switch {
	case kept.Format != planFormat:
		return nil, fmt.Errorf("its form is %d, and this version reads %d", kept.Format, planFormat)
	case kept.Organization == "" || kept.HomeRegion == "" || kept.Plan.Hash == "" || kept.Options.Template == "" || len(kept.Options.Regions) == 0:
		return nil, errors.New("it lacks the organization, the home Region, the template, the Regions or the hash")
	case !slices.Contains([]string{"off", "manual", "automatic"}, kept.Options.Remediation):
		return nil, fmt.Errorf("its remediation is %q", kept.Options.Remediation)
	}
	return &kept, nil
}
