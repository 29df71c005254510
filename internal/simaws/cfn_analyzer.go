package simaws

import (
	"net/http"
	"reflect"
	"slices"
	"strings"
)

// The handler of analyzers, as AWS publishes it:
// aws-cloudformation/aws-cloudformation-resource-providers-accessanalyzer.

var analyzerTypes = strings.Fields("ACCOUNT ORGANIZATION ACCOUNT_UNUSED_ACCESS ORGANIZATION_UNUSED_ACCESS ACCOUNT_INTERNAL_ACCESS ORGANIZATION_INTERNAL_ACCESS")

// checkAnalyzer: one analyzer of an account and a type in a Region; those of the
// organization are for its management account and its delegated administrator, five of
// a type but one for internal access (IAM user guide, Access Analyzer quotas).
func checkAnalyzer(s *Sim, c resourceCall) error {
	kind := textOf(c.Properties["Type"])
	if !slices.Contains(analyzerTypes, kind) {
		return handlerError(s, "AccessAnalyzer", http.StatusBadRequest, "InvalidRequest", "Invalid analyzer type: "+kind)
	}
	most := 1
	if strings.HasPrefix(kind, "ORGANIZATION") {
		if kind != "ORGANIZATION_INTERNAL_ACCESS" {
			most = 5
		}
		if c.Account.ID != s.world.management && !slices.Contains(s.world.delegated[c.Account.ID], "access-analyzer.amazonaws.com") {
			return handlerError(s, "AccessAnalyzer", http.StatusBadRequest, "InvalidRequest", "You cannot create an analyzer with the organization as the zone of trust: the account is not the management account or a delegated administrator")
		}
	}
	if c.PhysicalID != "" {
		return nil
	}
	there := c.Region.analyzers(kind)
	if kind == "ACCOUNT" && s.settings(c.Account, c.Region).detects.analyzer {
		there++
	}
	if there >= most {
		return handlerError(s, "AccessAnalyzer", http.StatusPaymentRequired, "ServiceLimitExceeded", "The maximum number of analyzers for the account was exceeded.")
	}
	return nil
}

// analyzers counts those of a type that stacks made.
func (r *regionState) analyzers(kind string) (n int) {
	for _, analyzer := range r.kept["AWS::AccessAnalyzer::Analyzer"] {
		if textOf(analyzer.Properties["Type"]) == kind {
			n++
		}
	}
	return n
}

// analyzerReplaces: how old access must be to be unused cannot be changed (template
// reference, UnusedAccessAge: Update requires replacement).
func analyzerReplaces(before, after map[string]any) bool {
	age := func(p map[string]any) any {
		configuration, _ := p["AnalyzerConfiguration"].(map[string]any)
		unused, _ := configuration["UnusedAccessConfiguration"].(map[string]any)
		return unused["UnusedAccessAge"]
	}
	return !reflect.DeepEqual(age(before), age(after))
}

// analyzerCalls: archive rules have calls of their own once the analyzer is there.
func analyzerCalls(c resourceCall) (calls []string) {
	if c.PhysicalID == "" {
		return nil
	}
	names := func(p map[string]any) (list []string) {
		rules, _ := p["ArchiveRules"].([]any)
		for _, x := range rules {
			rule, _ := x.(map[string]any)
			list = append(list, textOf(rule["RuleName"]))
		}
		return list
	}
	before, after := names(c.Old), names(c.Properties)
	if slices.ContainsFunc(after, func(n string) bool { return !slices.Contains(before, n) }) {
		calls = append(calls, "access-analyzer:CreateArchiveRule")
	}
	if slices.ContainsFunc(before, func(n string) bool { return !slices.Contains(after, n) }) {
		calls = append(calls, "access-analyzer:DeleteArchiveRule")
	}
	return calls
}

// linkAnalyzer: the first analyzer makes the service's role, which stays (IAM user guide,
// Using service-linked roles for Access Analyzer).
func linkAnalyzer(s *Sim, c resourceCall) {
	if c.Account.roles[serviceLinkedRoles[analyzerService]] == nil {
		s.addServiceLinkedRole(c.Account, analyzerService, "") //nolint:errcheck // the service is known, the role is not there
	}
}

const analyzerService = "access-analyzer.amazonaws.com"

// analyzes says whether an account has an analyzer in any Region: its service-linked
// role cannot be deleted then.
func (a *account) analyzes() bool {
	for _, r := range a.regions {
		if len(r.kept["AWS::AccessAnalyzer::Analyzer"]) > 0 {
			return true
		}
	}
	return false
}

// analyzerTaken: CreateAnalyzer answers ConflictException, which the handler passes on.
func analyzerTaken(s *Sim, _ resourceCall, name string) error {
	return handlerError(s, "AccessAnalyzer", http.StatusConflict, "ServiceInternalError", "An analyzer with the name "+name+" already exists.")
}
