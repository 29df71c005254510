package simaws

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/configservice"
	"github.com/aws/aws-sdk-go-v2/service/configservice/types"
)

// aggregating is an organization without resources of its own but for a rule in
// two accounts, and an aggregator's role in the management account.
func aggregating(t *testing.T) (s *Sim, ids []string, client *configservice.Client) {
	t.Helper()
	s = New(Options{Accounts: 8, Empty: true})
	for _, a := range s.Accounts() {
		if a.State == "ACTIVE" && !a.Management {
			ids = append(ids, a.ID)
		}
	}
	for _, id := range ids[:2] {
		s.SetGroups(id, "eu-west-1", true)
		s.PutRecorder(id, "eu-west-1", RecorderSpec{})
		s.PutRule(id, "eu-west-1", testRule, "VPC_DEFAULT_SECURITY_GROUP_CLOSED", "")
	}
	s.change(s.world.management, func(a *account) {
		trust, err := parsePolicy(`{"Statement":[{"Effect":"Allow","Principal":{"Service":"config.amazonaws.com"},"Action":"sts:AssumeRole"}]}`)
		if err != nil {
			t.Fatal(err)
		}
		a.roles["aggregator"] = &iamRole{Name: "aggregator", ARN: "arn:aws:iam::" + a.ID + ":role/aggregator", Trust: trust,
			Managed: []string{"arn:aws:iam::aws:policy/service-role/AWSConfigRoleForOrganizations"}}
	})
	return s, ids, configservice.NewFromConfig(sdk(s, "us-east-1"))
}

func organizationAggregator(s *Sim, name string) *configservice.PutConfigurationAggregatorInput {
	return &configservice.PutConfigurationAggregatorInput{ConfigurationAggregatorName: aws.String(name), OrganizationAggregationSource: &types.OrganizationAggregationSource{
		RoleArn: aws.String("arn:aws:iam::" + s.world.management + ":role/aggregator"), AllAwsRegions: true}}
}

// TestOrganizationAggregator: the organization's verdicts arrive some minutes
// after the aggregator was made, and a change some minutes after it was evaluated.
func TestOrganizationAggregator(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, ids, client := aggregating(t)
		ctx := t.Context()
		out, err := client.PutConfigurationAggregator(ctx, organizationAggregator(s, "all"))
		if err != nil || !strings.HasPrefix(aws.ToString(out.ConfigurationAggregator.ConfigurationAggregatorArn), "arn:aws:config:us-east-1:"+s.world.management+":config-aggregator/config-aggregator-") {
			t.Fatalf("put: %+v, %v", out, err)
		}
		if _, on := s.world.trustedServices["config.amazonaws.com"]; !on {
			t.Error("trusted access was not switched on")
		}
		verdicts := func(f *types.ConfigRuleComplianceFilters) map[string]types.Compliance {
			t.Helper()
			out, err := client.DescribeAggregateComplianceByConfigRules(ctx, &configservice.DescribeAggregateComplianceByConfigRulesInput{ConfigurationAggregatorName: aws.String("all"), Filters: f})
			if err != nil {
				t.Fatal(err)
			}
			m := map[string]types.Compliance{}
			for _, x := range out.AggregateComplianceByConfigRules {
				m[*x.AccountId+" "+*x.AwsRegion+" "+*x.ConfigRuleName] = *x.Compliance
			}
			return m
		}
		if got := verdicts(nil); len(got) != 0 {
			t.Errorf("at once: %v", got)
		}
		status, err := client.DescribeConfigurationAggregatorSourcesStatus(ctx, &configservice.DescribeConfigurationAggregatorSourcesStatusInput{
			ConfigurationAggregatorName: aws.String("all"), UpdateStatus: []types.AggregatedSourceStatusType{"SUCCEEDED"}})
		if err != nil || len(status.AggregatedSourceStatusList) != 1 || status.AggregatedSourceStatusList[0].SourceType != "ORGANIZATION" {
			t.Errorf("at once: %+v, %v", status, err)
		}
		time.Sleep(5 * time.Minute)
		first := ids[0] + " eu-west-1 " + testRule
		got := verdicts(nil)
		if c := got[first]; len(got) != 2 || c.ComplianceType != "NON_COMPLIANT" || c.ComplianceContributorCount.CappedCount == 0 {
			t.Errorf("after minutes: %v", got)
		}
		status, err = client.DescribeConfigurationAggregatorSourcesStatus(ctx, &configservice.DescribeConfigurationAggregatorSourcesStatusInput{ConfigurationAggregatorName: aws.String("all")})
		if err != nil || len(status.AggregatedSourceStatusList) != 100 || status.NextToken == nil || status.AggregatedSourceStatusList[1].LastUpdateStatus != "SUCCEEDED" {
			t.Errorf("sources: %+v, %v", status, err)
		}

		// A change is evaluated first and arrives then.
		s.SetGroups(ids[0], "eu-west-1", false)
		single := func() string {
			cfg := entered(t, s, ids[0], "OrganizationAccountAccessRole", "")
			cfg.Region = "eu-west-1"
			out, err := configservice.NewFromConfig(cfg).DescribeComplianceByConfigRule(ctx, &configservice.DescribeComplianceByConfigRuleInput{})
			if err != nil {
				t.Fatal(err)
			}
			return string(out.ComplianceByConfigRules[0].Compliance.ComplianceType)
		}
		time.Sleep(80 * time.Second)
		if single() != "COMPLIANT" || verdicts(nil)[first].ComplianceType != "NON_COMPLIANT" {
			t.Errorf("just evaluated: %s there, %v in the aggregator", single(), verdicts(nil)[first])
		}
		time.Sleep(5 * time.Minute)
		if got := verdicts(nil)[first]; got.ComplianceType != "COMPLIANT" || got.ComplianceContributorCount.CappedCount == 0 {
			t.Errorf("arrived: %v", got)
		}
		for want, f := range map[int]*types.ConfigRuleComplianceFilters{
			1: {ComplianceType: "NON_COMPLIANT"}, 2: {AwsRegion: aws.String("eu-west-1"), ConfigRuleName: aws.String(testRule)}, 0: {AccountId: aws.String("999999999999")},
		} {
			if got := verdicts(f); len(got) != want {
				t.Errorf("filter %+v: %v", f, got)
			}
		}
		// A page is cut before the filter by verdict: empty, with a token.
		page, err := client.DescribeAggregateComplianceByConfigRules(ctx, &configservice.DescribeAggregateComplianceByConfigRulesInput{
			ConfigurationAggregatorName: aws.String("all"), Limit: 1, Filters: &types.ConfigRuleComplianceFilters{ComplianceType: "NON_COMPLIANT"}})
		if err != nil || len(page.AggregateComplianceByConfigRules) != 0 || page.NextToken == nil {
			t.Errorf("the page before: %+v, %v", page, err)
		}
		sum, err := client.GetAggregateConfigRuleComplianceSummary(ctx, &configservice.GetAggregateConfigRuleComplianceSummaryInput{ConfigurationAggregatorName: aws.String("all"), GroupByKey: "AWS_REGION"})
		if err != nil || len(sum.AggregateComplianceCounts) != 1 || *sum.AggregateComplianceCounts[0].GroupName != "eu-west-1" ||
			sum.AggregateComplianceCounts[0].ComplianceSummary.CompliantResourceCount.CappedCount != 1 || sum.AggregateComplianceCounts[0].ComplianceSummary.NonCompliantResourceCount.CappedCount != 1 {
			t.Errorf("summary: %+v, %v", sum, err)
		}
		details, err := client.GetAggregateComplianceDetailsByConfigRule(ctx, &configservice.GetAggregateComplianceDetailsByConfigRuleInput{
			ConfigurationAggregatorName: aws.String("all"), ConfigRuleName: aws.String(testRule), AccountId: aws.String(ids[1]), AwsRegion: aws.String("eu-west-1")})
		if err != nil || len(details.AggregateEvaluationResults) == 0 || *details.AggregateEvaluationResults[0].AccountId != ids[1] {
			t.Errorf("details: %+v, %v", details, err)
		}
		resources, err := client.ListAggregateDiscoveredResources(ctx, &configservice.ListAggregateDiscoveredResourcesInput{ConfigurationAggregatorName: aws.String("all"), ResourceType: types.ResourceTypeSecurityGroup})
		if err != nil || len(resources.ResourceIdentifiers) < 2 {
			t.Fatalf("resources: %+v, %v", resources, err)
		}
		counts, err := client.GetAggregateDiscoveredResourceCounts(ctx, &configservice.GetAggregateDiscoveredResourceCountsInput{ConfigurationAggregatorName: aws.String("all"), GroupByKey: types.ResourceCountGroupKeyResourceType})
		groups := map[string]int64{}
		for _, g := range counts.GroupedResourceCounts {
			groups[*g.GroupName] = g.ResourceCount
		}
		if err != nil || int(groups[typeSecurityGroup]) != len(resources.ResourceIdentifiers) || groups[typeRecorder] != 2 {
			t.Errorf("counts: %+v, %v", counts, err)
		}
		unknown := resources.ResourceIdentifiers[0]
		unknown.ResourceId = aws.String("sg-none")
		batch, err := client.BatchGetAggregateResourceConfig(ctx, &configservice.BatchGetAggregateResourceConfigInput{ConfigurationAggregatorName: aws.String("all"),
			ResourceIdentifiers: []types.AggregateResourceIdentifier{resources.ResourceIdentifiers[0], unknown}})
		if err != nil || len(batch.BaseConfigurationItems) != 1 || len(batch.UnprocessedResourceIdentifiers) != 1 {
			t.Errorf("batch: %+v, %v", batch, err)
		}
		refuse(t, "ResourceNotDiscoveredException", func() error {
			_, err := client.GetAggregateResourceConfig(ctx, &configservice.GetAggregateResourceConfigInput{ConfigurationAggregatorName: aws.String("all"), ResourceIdentifier: &unknown})
			return err
		})
		one, err := client.GetAggregateResourceConfig(ctx, &configservice.GetAggregateResourceConfigInput{ConfigurationAggregatorName: aws.String("all"), ResourceIdentifier: &resources.ResourceIdentifiers[0]})
		if err != nil || aws.ToString(one.ConfigurationItem.AccountId) != *resources.ResourceIdentifiers[0].SourceAccountId {
			t.Errorf("one: %+v, %v", one, err)
		}

		// A rule that is deleted stays in the aggregator for a while.
		s.change(ids[0], func(a *account) { s.deleteRule(a.region("eu-west-1"), testRule) })
		if got := verdicts(nil); len(got) != 2 {
			t.Errorf("just deleted: %v", got)
		}
		time.Sleep(5 * time.Minute)
		if got := verdicts(nil); len(got) != 1 {
			t.Errorf("deleted: %v", got)
		}
		// Without its role the aggregator gets nothing.
		s.RemoveRole(s.world.management, "aggregator")
		status, err = client.DescribeConfigurationAggregatorSourcesStatus(ctx, &configservice.DescribeConfigurationAggregatorSourcesStatusInput{ConfigurationAggregatorName: aws.String("all")})
		if err != nil || len(status.AggregatedSourceStatusList) != 1 || status.AggregatedSourceStatusList[0].LastUpdateStatus != "FAILED" || len(verdicts(nil)) != 0 {
			t.Errorf("without the role: %+v, %v", status, err)
		}
	})
}

// TestAccountAggregator: another account's data needs its authorization.
func TestAccountAggregator(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, ids, client := aggregating(t)
		ctx := t.Context()
		accept(t, func() error {
			_, err := client.PutConfigurationAggregator(ctx, &configservice.PutConfigurationAggregatorInput{ConfigurationAggregatorName: aws.String("two"),
				AccountAggregationSources: []types.AccountAggregationSource{{AccountIds: ids[:2], AwsRegions: []string{"eu-west-1"}}}})
			return err
		})
		statuses := func() string {
			out, err := client.DescribeConfigurationAggregatorSourcesStatus(ctx, &configservice.DescribeConfigurationAggregatorSourcesStatusInput{ConfigurationAggregatorName: aws.String("two")})
			if err != nil {
				t.Fatal(err)
			}
			words := ""
			for _, x := range out.AggregatedSourceStatusList {
				words += string(x.LastUpdateStatus) + " "
			}
			return words
		}
		if got := statuses(); got != "FAILED FAILED " {
			t.Errorf("without authorization: %s", got)
		}
		cfg := entered(t, s, ids[0], "OrganizationAccountAccessRole", "")
		cfg.Region = "eu-west-1"
		source := configservice.NewFromConfig(cfg)
		pending, err := source.DescribePendingAggregationRequests(ctx, &configservice.DescribePendingAggregationRequestsInput{})
		if err != nil || len(pending.PendingAggregationRequests) != 1 || *pending.PendingAggregationRequests[0].RequesterAccountId != s.world.management {
			t.Errorf("pending: %+v, %v", pending, err)
		}
		put := &configservice.PutAggregationAuthorizationInput{AuthorizedAccountId: aws.String(s.world.management), AuthorizedAwsRegion: aws.String("us-east-1")}
		for range 2 { // the second changes nothing
			accept(t, func() error { _, err := source.PutAggregationAuthorization(ctx, put); return err })
		}
		list, err := source.DescribeAggregationAuthorizations(ctx, &configservice.DescribeAggregationAuthorizationsInput{})
		if err != nil || len(list.AggregationAuthorizations) != 1 ||
			*list.AggregationAuthorizations[0].AggregationAuthorizationArn != "arn:aws:config:eu-west-1:"+ids[0]+":aggregation-authorization/"+s.world.management+"/us-east-1" {
			t.Errorf("authorizations: %+v, %v", list, err)
		}
		if got := statuses(); got != "OUTDATED FAILED " {
			t.Errorf("just authorized: %s", got)
		}
		time.Sleep(5 * time.Minute)
		if got := statuses(); got != "SUCCEEDED FAILED " {
			t.Errorf("authorized: %s", got)
		}
		out, err := client.DescribeAggregateComplianceByConfigRules(ctx, &configservice.DescribeAggregateComplianceByConfigRulesInput{ConfigurationAggregatorName: aws.String("two")})
		if err != nil || len(out.AggregateComplianceByConfigRules) != 1 {
			t.Errorf("compliance: %+v, %v", out, err)
		}
		accept(t, func() error {
			_, err := source.DeleteAggregationAuthorization(ctx, &configservice.DeleteAggregationAuthorizationInput{AuthorizedAccountId: put.AuthorizedAccountId, AuthorizedAwsRegion: put.AuthorizedAwsRegion})
			return err
		})
		if got := statuses(); got != "FAILED FAILED " {
			t.Errorf("no longer authorized: %s", got)
		}
		accept(t, func() error {
			_, err := source.DeletePendingAggregationRequest(ctx, &configservice.DeletePendingAggregationRequestInput{RequesterAccountId: put.AuthorizedAccountId, RequesterAwsRegion: put.AuthorizedAwsRegion})
			return err
		})
		if pending, err := source.DescribePendingAggregationRequests(ctx, &configservice.DescribePendingAggregationRequestsInput{}); err != nil || len(pending.PendingAggregationRequests) != 0 {
			t.Errorf("dismissed: %+v, %v", pending, err)
		}
	})
}

func TestAggregatorIsRefused(t *testing.T) {
	s, ids, client := aggregating(t)
	ctx := t.Context()
	from := func(change func(in *configservice.PutConfigurationAggregatorInput)) *configservice.PutConfigurationAggregatorInput {
		in := organizationAggregator(s, "x")
		change(in)
		return in
	}
	accounts := []types.AccountAggregationSource{{AccountIds: ids[:1], AllAwsRegions: true}}
	for want, in := range map[string]*configservice.PutConfigurationAggregatorInput{
		"contains both the AccountAggregationSource": from(func(in *configservice.PutConfigurationAggregatorInput) { in.AccountAggregationSources = accounts }),
		"is missing either":                          from(func(in *configservice.PutConfigurationAggregatorInput) { in.OrganizationAggregationSource = nil }),
		"specifies the use of all regions": from(func(in *configservice.PutConfigurationAggregatorInput) {
			in.OrganizationAggregationSource.AwsRegions = []string{"eu-west-1"}
		}),
		"does not specify any regions": from(func(in *configservice.PutConfigurationAggregatorInput) {
			in.OrganizationAggregationSource.AllAwsRegions = false
		}),
		"InvalidRoleException": from(func(in *configservice.PutConfigurationAggregatorInput) {
			in.OrganizationAggregationSource.RoleArn = aws.String("arn:aws:iam::999999999999:role/x")
		}),
		`satisfy regular expression pattern: [\w\-]+`: from(func(in *configservice.PutConfigurationAggregatorInput) {
			in.ConfigurationAggregatorName = aws.String("a b")
		}),
		"less than or equal to 256": from(func(in *configservice.PutConfigurationAggregatorInput) {
			in.ConfigurationAggregatorName = aws.String(strings.Repeat("a", 257))
		}),
		"'accountAggregationSources' failed": from(func(in *configservice.PutConfigurationAggregatorInput) {
			in.AccountAggregationSources = append(accounts, accounts...)
		}),
	} {
		refuse(t, want, func() error { _, err := client.PutConfigurationAggregator(ctx, in); return err })
	}
	refuse(t, "NoSuchConfigurationAggregatorException", func() error {
		_, err := client.DeleteConfigurationAggregator(ctx, &configservice.DeleteConfigurationAggregatorInput{ConfigurationAggregatorName: aws.String("x")})
		return err
	})
	refuse(t, "At least one of the configuration aggregators", func() error {
		_, err := client.DescribeConfigurationAggregators(ctx, &configservice.DescribeConfigurationAggregatorsInput{ConfigurationAggregatorNames: []string{"x", "y"}})
		return err
	})

	s.change(ids[0], func(*account) {
		delete(s.world.trustedServices, "config.amazonaws.com")
		delete(s.world.delegated, ids[0])
	})
	// A member account, as such and as a delegated administrator.
	member := configservice.NewFromConfig(entered(t, s, ids[0], "OrganizationAccountAccessRole", ""))
	in := organizationAggregator(s, "theirs")
	in.OrganizationAggregationSource.RoleArn = aws.String("arn:aws:iam::" + ids[0] + ":role/aggregator")
	refuse(t, "OrganizationAccessDeniedException", func() error { _, err := member.PutConfigurationAggregator(ctx, in); return err })
	s.change(ids[0], func(*account) { s.world.delegated[ids[0]] = []string{"config.amazonaws.com"} })
	refuse(t, "OrganizationAccessDeniedException", func() error { _, err := member.PutConfigurationAggregator(ctx, in); return err })
	s.change(ids[0], func(*account) { s.world.trustedServices["config.amazonaws.com"] = time.Now() })
	accept(t, func() error { _, err := member.PutConfigurationAggregator(ctx, in); return err })

	for i := range 50 {
		accept(t, func() error {
			_, err := client.PutConfigurationAggregator(ctx, organizationAggregator(s, fmt.Sprint("a", i)))
			return err
		})
	}
	refuse(t, "LimitExceededException", func() error {
		_, err := client.PutConfigurationAggregator(ctx, organizationAggregator(s, "one-more"))
		return err
	})
	accept(t, func() error {
		_, err := client.PutConfigurationAggregator(ctx, organizationAggregator(s, "a1"))
		return err
	})
	out, err := client.DescribeConfigurationAggregators(ctx, &configservice.DescribeConfigurationAggregatorsInput{Limit: 20})
	if err != nil || len(out.ConfigurationAggregators) != 20 || out.NextToken == nil {
		t.Errorf("%+v, %v", out, err)
	}
	refuse(t, "NOT_APPLICABLE is not supported", func() error {
		_, err := client.DescribeAggregateComplianceByConfigRules(ctx, &configservice.DescribeAggregateComplianceByConfigRulesInput{
			ConfigurationAggregatorName: aws.String("a1"), Filters: &types.ConfigRuleComplianceFilters{ComplianceType: "NOT_APPLICABLE"}})
		return err
	})
	refuse(t, "InvalidLimitException", func() error {
		_, err := client.DescribeAggregateComplianceByConfigRules(ctx, &configservice.DescribeAggregateComplianceByConfigRulesInput{ConfigurationAggregatorName: aws.String("a1"), Limit: 1001})
		return err
	})
}

// TestAccountsOfAWeek: a thousand accounts may be added or removed in a week.
func TestAccountsOfAWeek(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, _, client := aggregating(t)
		put := func(from, to int) error {
			var ids []string
			for i := from; i < to; i++ {
				ids = append(ids, fmt.Sprintf("%012d", i))
			}
			_, err := client.PutConfigurationAggregator(t.Context(), &configservice.PutConfigurationAggregatorInput{ConfigurationAggregatorName: aws.String("many"),
				AccountAggregationSources: []types.AccountAggregationSource{{AccountIds: ids, AwsRegions: []string{"eu-west-1"}}}})
			return err
		}
		accept(t, func() error { return put(1, 601) })
		accept(t, func() error { return put(101, 701) }) // a hundred go and a hundred come
		accept(t, func() error { return put(101, 701) })
		refuse(t, "LimitExceededException", func() error { return put(101, 1000) })
		time.Sleep(8 * 24 * time.Hour)
		accept(t, func() error { return put(101, 1000) })
		refuse(t, "LimitExceededException", func() error { return put(1, 10002) })
	})
}
