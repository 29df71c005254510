package simaws

import (
	"net/http"
	"slices"
	"strconv"
)

// controltowerOps are the calls served, by name; controltowerPaths their paths.
var (
	controltowerOps = map[string]handler{
		"ListLandingZones":     listLandingZones,
		"ListBaselines":        listBaselines,
		"ListEnabledBaselines": listEnabledBaselines,
	}
	controltowerPaths = map[string]string{
		"list-landingzones":      "ListLandingZones",
		"list-baselines":         "ListBaselines",
		"list-enabled-baselines": "ListEnabledBaselines",
	}
)

// baselines are those that Control Tower has, with their identifiers, which are the same
// in every Region (ListBaselines as AWS answered in July 2026).
var baselines = []struct{ name, id, description string }{
	{"AuditBaseline", "4T4HA1KMO10S6311", "Sets up resources to monitor security and compliance of accounts in your organization."},
	{"CentralSecurityRolesBaseline", "A6EEAE10F08193F2", "Sets up central resources for security monitoring within your organization."},
	{"LogArchiveBaseline", "J8HX46AHS5MIKQPD", "Sets up a central repository for logs of API activities and resource configurations from accounts in your organization."},
	{"IdentityCenterBaseline", "LN25R72TTG6IGPTQ", "Sets up shared resources for AWS Identity Center, which prepares the AWSControlTowerBaseline to set up Identity Center access for accounts."},
	{"AWSControlTowerBaseline", "17BSJV3IGJ2QSGA2", "Sets up resources and mandatory controls for member accounts within the target OU, required for AWS Control Tower governance."},
	{"BackupCentralVaultBaseline", "3WPD0NA6TJ9AOMU2", "Sets up a central AWS Backup vault in your organization."},
	{"BackupAdminBaseline", "H6C5JFCJJ3CPU3J5", "Sets up AWS Backup Audit Manager."},
	{"BackupBaseline", "APO9ATVPBKFRRGLK", "Sets up a local AWS Backup vault and attaches multiple AWS Backup plans."},
	{"CentralConfigBaseline", "YX7VMZML5IG8EJUD", "Sets up central resources for compliance monitoring and auditing within your organization using AWS Config."},
	{"ConfigBaseline", "1QBGH2G48YVGDQ3Y", "Sets up AWS Config resources for member accounts within the target OU, required for Detective Controls enablement. The resources set up are a subset of resources of AWSControlTowerBaseline."},
}

// baselineARN is a baseline's ARN in a Region; it has no account.
func (s *Sim) baselineARN(region, name string) string {
	for _, b := range baselines {
		if b.name == name {
			return "arn:" + s.world.partition + ":controltower:" + region + "::baseline/" + b.id
		}
	}
	return ""
}

// controltowerPage is what every list takes.
type controltowerPage struct {
	MaxResults *int
	NextToken  string
}

// tower refuses those who may not ask Control Tower: only the management account's
// identities do (user guide, "Explaining access to users").
func (s *Sim) tower(c *call, into any) error {
	if err := unmarshal(c, into); err != nil {
		return fail(http.StatusBadRequest, "ValidationException", err.Error())
	}
	if c.Caller.Account != s.world.management {
		return fail(http.StatusForbidden, "AccessDeniedException", "You do not have sufficient access to perform this action.")
	}
	return nil
}

// cut cuts a page.
func (p controltowerPage) cut(list []any, name string, low, high int) (any, error) {
	size, from := high, 0
	if p.MaxResults != nil {
		size = *p.MaxResults
	}
	if size < low || size > high {
		return nil, fail(http.StatusBadRequest, "ValidationException", "maxResults is from "+strconv.Itoa(low)+" to "+strconv.Itoa(high))
	}
	if p.NextToken != "" {
		var err error
		if from, err = strconv.Atoi(p.NextToken); err != nil || from < 0 {
			return nil, fail(http.StatusBadRequest, "ValidationException", "The nextToken is not valid")
		}
	}
	from = min(from, len(list))
	to := min(from+size, len(list))
	out := map[string]any{name: append([]any{}, list[from:to]...)}
	if to < len(list) {
		out["nextToken"] = strconv.Itoa(to)
	}
	return out, nil
}

// listLandingZones gives the one landing zone in its home Region. That other Regions
// give none is inferred: a landing zone belongs to one Region, as its ARN says.
func listLandingZones(s *Sim, c *call) (any, error) {
	var in controltowerPage
	if err := s.tower(c, &in); err != nil {
		return nil, err
	}
	var list []any
	if z := s.world.landing; z != nil && z.Region == c.Region {
		list = append(list, map[string]any{"arn": z.arn})
	}
	return in.cut(list, "landingZones", 1, 1)
}

func listBaselines(s *Sim, c *call) (any, error) {
	var in controltowerPage
	if err := s.tower(c, &in); err != nil {
		return nil, err
	}
	var list []any
	for _, b := range baselines {
		list = append(list, map[string]any{"arn": s.baselineARN(c.Region, b.name), "name": b.name, "description": b.description})
	}
	return in.cut(list, "baselines", 4, 100)
}

type enabledBaselinesInput struct {
	controltowerPage
	IncludeChildren bool
	Filter          struct {
		TargetIdentifiers, BaselineIdentifiers, ParentIdentifiers []string
		Statuses, InheritanceDriftStatuses, SourceDriftStatuses   []string
	}
}

// takes says whether a filter lets a value through.
func takes(filter []string, value string) bool {
	return len(filter) == 0 || slices.Contains(filter, value)
}

// listEnabledBaselines gives what is enabled: on OUs, on the accounts that the landing
// zone uses, and, when children are asked for, on the accounts of the OUs.
func listEnabledBaselines(s *Sim, c *call) (any, error) {
	var in enabledBaselinesInput
	if err := s.tower(c, &in); err != nil {
		return nil, err
	}
	var list []any
	z := s.world.landing
	if z == nil || z.Region != c.Region {
		return in.cut(list, "enabledBaselines", 5, 100)
	}
	for _, b := range z.enabled {
		f, arn := in.Filter, s.baselineARN(z.Region, b.Name)
		if b.Parent != "" && !in.IncludeChildren || !takes(f.TargetIdentifiers, b.Target) || !takes(f.BaselineIdentifiers, arn) ||
			!takes(f.ParentIdentifiers, b.Parent) || !takes(f.Statuses, b.Status) || !takes(f.InheritanceDriftStatuses, "IN_SYNC") || !takes(f.SourceDriftStatuses, "IN_SYNC") {
			continue
		}
		row := map[string]any{"arn": b.ARN, "baselineIdentifier": arn, "targetIdentifier": b.Target, "statusSummary": map[string]any{"status": b.Status, "lastOperationIdentifier": b.Operation}}
		if b.Version != "" {
			row["baselineVersion"] = b.Version
		}
		if b.Parent != "" {
			row["parentIdentifier"] = b.Parent
			row["driftStatusSummary"] = map[string]any{"types": map[string]any{"inheritance": map[string]any{"status": "IN_SYNC"}}}
		}
		list = append(list, row)
	}
	return in.cut(list, "enabledBaselines", 5, 100)
}
