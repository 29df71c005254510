package orgs

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/controltower"
	"github.com/aws/aws-sdk-go-v2/service/organizations"

	"rollout/internal/awsapi"
	"rollout/internal/fanout"
)

// Governance is what Control Tower governs by its own word.
type Governance struct {
	Region string // the landing zone's home Region
	// governed are the baselines of OUs and of the accounts that the landing zone uses,
	// by id.
	governed map[string]Governed
}

// Governed is how Control Tower governs an account.
type Governed struct {
	Baseline string // AWSControlTowerBaseline, ConfigBaseline; another of a shared account
	// Records says that Control Tower sets up AWS Config in what it enrols. Since landing
	// zone 4.0 it need not ("Key changes" in its user guide).
	Records bool
}

// TowerService is the service principal that Control Tower has trusted access by.
const TowerService = "controltower.amazonaws.com"

// ReadGovernance reads the enabled baselines of Control Tower's landing zone, nil without
// one. It needs the management account. Whether there is one says trusted access, in one
// call; its home Region is looked for among regions, the session's own first: elsewhere
// it cannot be seen.
func ReadGovernance(ctx context.Context, s *awsapi.Session, regions []string) (*Governance, error) {
	on, err := trusts(ctx, NewClient(s.Own("")), TowerService)
	if err != nil {
		return nil, fmt.Errorf("ask whether Control Tower has trusted access: %w", err)
	}
	if !on {
		return nil, nil
	}
	region, err := landingZoneRegion(ctx, s, regions)
	if err != nil || region == "" {
		return nil, err
	}
	api := newTower(s, region)
	names, err := baselineNames(ctx, api)
	if err != nil {
		return nil, fmt.Errorf("list Control Tower's baselines in %s: %w", region, err)
	}
	g := &Governance{Region: region, governed: map[string]Governed{}}
	if err := g.read(ctx, api, names); err != nil {
		return nil, fmt.Errorf("list Control Tower's enabled baselines in %s: %w", region, err)
	}
	return g, nil
}

// newTower is Control Tower in a Region, as the caller. It is asked a few calls, and some
// Regions do not have it, so that ten attempts would be too many.
func newTower(s *awsapi.Session, region string) *controltower.Client {
	return controltower.NewFromConfig(s.Own(region), func(o *controltower.Options) { o.RetryMaxAttempts = 3 })
}

func trusts(ctx context.Context, api organizations.ListAWSServiceAccessForOrganizationAPIClient, principal string) (bool, error) {
	pages := organizations.NewListAWSServiceAccessForOrganizationPaginator(api, &organizations.ListAWSServiceAccessForOrganizationInput{})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return false, err
		}
		for _, p := range page.EnabledServicePrincipals {
			if aws.ToString(p.ServicePrincipal) == principal {
				return true, nil
			}
		}
	}
	return false, nil
}

// landingZoneRegion is the home Region of the landing zone, "" where no Region has one.
// A Region that cannot be asked counts only when no other has it.
func landingZoneRegion(ctx context.Context, s *awsapi.Session, regions []string) (string, error) {
	ask := func(ctx context.Context, region string) (string, error) {
		out, err := newTower(s, region).ListLandingZones(ctx, &controltower.ListLandingZonesInput{})
		if err != nil {
			return "", fmt.Errorf("look for Control Tower's landing zone in %s: %w", region, err)
		}
		for _, zone := range out.LandingZones {
			if part := strings.Split(aws.ToString(zone.Arn), ":"); len(part) > 3 && part[3] != "" {
				return part[3], nil
			}
		}
		return "", nil
	}
	found, failure := ask(ctx, s.HomeRegion)
	if found != "" || awsapi.Classify(failure) == awsapi.ClassDenied || ctx.Err() != nil {
		return found, failure // who may not ask here may not ask anywhere
	}
	type answer struct {
		region string
		err    error
	}
	others := slices.DeleteFunc(slices.Clone(regions), func(r string) bool { return r == s.HomeRegion })
	for _, a := range fanout.Ordered(ctx, others, concurrency, func(ctx context.Context, region string) answer {
		region, err := ask(ctx, region)
		return answer{region, err}
	}) {
		switch {
		case a.region != "":
			return a.region, nil
		case failure == nil:
			failure = a.err
		}
	}
	return "", failure
}

func baselineNames(ctx context.Context, api *controltower.Client) (map[string]string, error) {
	names := map[string]string{}
	pages := controltower.NewListBaselinesPaginator(api, &controltower.ListBaselinesInput{})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, err
		}
		for _, b := range page.Baselines {
			names[aws.ToString(b.Arn)] = aws.ToString(b.Name)
		}
	}
	return names, nil
}

// Baselines that say whether AWS Config is part of the landing zone: that of the audit
// account before landing zone 4.0, and since then the one that is enabled with Config.
const (
	auditBaseline         = "AuditBaseline"
	centralConfigBaseline = "CentralConfigBaseline"
	ouBaseline            = "AWSControlTowerBaseline"
	configBaseline        = "ConfigBaseline"
)

func (g *Governance) read(ctx context.Context, api *controltower.Client, names map[string]string) error {
	type row struct{ id, name, version string }
	var rows []row
	config := false
	pages := controltower.NewListEnabledBaselinesPaginator(api, &controltower.ListEnabledBaselinesInput{MaxResults: aws.Int32(100)})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return err
		}
		for _, b := range page.EnabledBaselines {
			target := aws.ToString(b.TargetIdentifier)
			r := row{target[strings.LastIndexByte(target, '/')+1:], names[aws.ToString(b.BaselineIdentifier)], aws.ToString(b.BaselineVersion)}
			rows = append(rows, r)
			// Baseline 5.0 came with landing zone 4.0 ("Compatibility of OU baselines and
			// landing zone versions").
			config = config || r.name == auditBaseline || r.name == centralConfigBaseline || r.name == configBaseline || r.name == ouBaseline && major(r.version) < 5
		}
	}
	for _, r := range rows {
		switch {
		case r.name == ouBaseline || r.name == configBaseline:
		case strings.HasPrefix(r.id, "ou-"), r.name == "", r.name == "IdentityCenterBaseline":
			continue // of backups, beside the one that governs; and the management account's, where nothing is recorded
		}
		g.governed[r.id] = Governed{Baseline: r.name, Records: config}
	}
	return nil
}

// major is the number before the dot, 0 where there is none.
func major(version string) int {
	before, _, _ := strings.Cut(version, ".")
	n, err := strconv.Atoi(before)
	if err != nil {
		return 0
	}
	return n
}

// Of says how Control Tower governs an account: by what is enabled on the account itself
// or on its own OU. What is enabled on an OU further up does not enrol the account.
func (g *Governance) Of(a *Account) (Governed, bool) {
	if g == nil || a.Management {
		return Governed{}, false
	}
	if by, is := g.governed[a.ID]; is {
		return by, true
	}
	if a.OU == nil {
		return Governed{}, false
	}
	by, is := g.governed[a.OU.ID]
	return by, is
}

// Attached says whether a policy whose name begins so is attached to a root, OU or
// account itself.
func (p *Policies) Attached(target, prefix string) bool {
	return p != nil && slices.ContainsFunc(p.attached[target], func(c *ControlPolicy) bool { return strings.HasPrefix(c.Name, prefix) })
}
