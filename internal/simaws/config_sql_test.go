package simaws

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/configservice"
	"github.com/aws/aws-sdk-go-v2/service/configservice/types"
)

// sqlExamples are rows for the language's own tests.
var sqlExamples = []map[string]any{
	{"resourceId": "a", "resourceType": "AWS::EC2::Instance", "awsRegion": "us-east-1", "accountId": "111111111111",
		"tags":          []any{map[string]any{"key": "env", "value": "prod", "tag": "env=prod"}, map[string]any{"key": "team", "value": "blue", "tag": "team=blue"}},
		"configuration": map[string]any{"instanceType": "m4.large", "cpuOptions": map[string]any{"coreCount": 2.0}, "ebsOptimized": true}},
	{"resourceId": "b", "resourceType": "AWS::EC2::Instance", "awsRegion": "us-east-1", "accountId": "111111111111",
		"configuration": map[string]any{"instanceType": "t2.micro", "cpuOptions": map[string]any{"coreCount": 1.0}, "ebsOptimized": false}},
	{"resourceId": "c", "resourceType": "AWS::S3::Bucket", "awsRegion": "eu-west-1", "accountId": "222222222222", "configuration": map[string]any{}},
	{"resourceId": "d", "resourceType": typeCompliance, "awsRegion": "eu-west-1", "accountId": "222222222222", "configuration": map[string]any{"complianceType": "NON_COMPLIANT",
		"configRuleList": []any{map[string]any{"configRuleName": "one", "complianceType": "COMPLIANT"}, map[string]any{"configRuleName": "two", "complianceType": "NON_COMPLIANT"}}}},
}

func TestSQL(t *testing.T) {
	for query, want := range map[string]string{
		"SELECT resourceId": `{"resourceId":"a"} {"resourceId":"b"} {"resourceId":"c"} {"resourceId":"d"}`,
		"select resourceId, configuration.instanceType where resourceType = 'AWS::EC2::Instance' order by resourceId desc;": `{"configuration":{"instanceType":"t2.micro"},"resourceId":"b"} {"configuration":{"instanceType":"m4.large"},"resourceId":"a"}`,
		"SELECT resourceId WHERE resourceType LIKE 'AWS::EC2%'":                                                             `{"resourceId":"a"} {"resourceId":"b"}`,
		"SELECT resourceId WHERE resourceType LIKE 'AWS::S3::Bucke_'":                                                       `{"resourceId":"c"}`,
		"SELECT resourceId WHERE resourceId IN ('a', 'd') AND NOT resourceId = 'd'":                                         `{"resourceId":"a"}`,
		"SELECT resourceId WHERE resourceId NOT IN ('a','b','c')":                                                           `{"resourceId":"d"}`,
		"SELECT resourceId WHERE configuration.cpuOptions.coreCount BETWEEN 2 AND 4":                                        `{"resourceId":"a"}`,
		"SELECT resourceId WHERE configuration.cpuOptions.coreCount < 2 OR (resourceId = 'c' AND awsRegion = 'eu-west-1')":  `{"resourceId":"b"} {"resourceId":"c"}`,
		"SELECT resourceId WHERE configuration.ebsOptimized = true":                                                         `{"resourceId":"a"}`,
		"SELECT resourceId WHERE tags.tag = 'env=prod' AND tags.key = 'team'":                                               `{"resourceId":"a"}`,
		"SELECT resourceId WHERE accountId <> '111111111111' AND resourceId >= 'd'":                                         `{"resourceId":"d"}`,
		"SELECT COUNT(*)": `{"COUNT(*)":4}`,
		"SELECT COUNT(*) WHERE resourceId = 'none'":                                               `{"COUNT(*)":0}`,
		"SELECT resourceType, COUNT(*) GROUP BY resourceType ORDER BY COUNT(*) DESC":              `{"COUNT(*)":2,"resourceType":"AWS::EC2::Instance"} {"COUNT(*)":1,"resourceType":"AWS::Config::ResourceCompliance"} {"COUNT(*)":1,"resourceType":"AWS::S3::Bucket"}`,
		"SELECT accountId, awsRegion, COUNT(*) GROUP BY accountId, awsRegion":                     `{"COUNT(*)":2,"accountId":"111111111111","awsRegion":"us-east-1"} {"COUNT(*)":2,"accountId":"222222222222","awsRegion":"eu-west-1"}`,
		"SELECT MAX(configuration.cpuOptions.coreCount), MIN(configuration.cpuOptions.coreCount)": `{"MAX(configuration.cpuOptions.coreCount)":2,"MIN(configuration.cpuOptions.coreCount)":1}`,
		"SELECT SUM(configuration.cpuOptions.coreCount), AVG(configuration.cpuOptions.coreCount)": `{"AVG(configuration.cpuOptions.coreCount)":1.5,"SUM(configuration.cpuOptions.coreCount)":3}`,
		"SELECT * WHERE resourceId = 'c'":                                                         `{"accountId":"222222222222","awsRegion":"eu-west-1","resourceId":"c","resourceType":"AWS::S3::Bucket"}`,
		"SELECT configuration.configRuleList.configRuleName WHERE resourceId = 'd'":               `{"configuration":{"configRuleList":[{"configRuleName":"one"},{"configRuleName":"two"}]}}`,
		"SELECT resourceId WHERE resourceId = 'it''s'":                                            ``,
		// Two tests on a list may be met by two of its elements: rule one complies.
		"SELECT resourceId WHERE configuration.configRuleList.configRuleName = 'one' AND configuration.configRuleList.complianceType = 'NON_COMPLIANT'": `{"resourceId":"d"}`,
	} {
		q, err := parseSQL(query)
		if err != nil {
			t.Errorf("%s: %v", query, err)
			continue
		}
		results, _, err := q.run(sqlExamples)
		got := strings.TrimSuffix(strings.TrimPrefix(fmt.Sprint(results), "["), "]")
		if err != nil || got != want {
			t.Errorf("%s\n got %s, %v\nwant %s", query, got, err, want)
		}
	}
}

func TestSQLIsRefused(t *testing.T) {
	for _, query := range []string{
		"", "resourceId", "SELECT", "SELECT resourceId FROM resources", "SELECT DISTINCT resourceId", "SELECT resourceId AS id", "SELECT resourceId WHERE resourceName = NULL",
		"SELECT accountId, COUNT(*) GROUP BY accountId HAVING COUNT(*) > 1", "SELECT colour", "SELECT resourceId WHERE", "SELECT resourceId WHERE resourceId", "SELECT resourceId WHERE resourceId =",
		"SELECT resourceId WHERE resourceId = 'a", "SELECT resourceId WHERE (resourceId = 'a'", "SELECT resourceId WHERE resourceId LIKE '%a'", "SELECT resourceId WHERE resourceId LIKE 'a%b'",
		"SELECT resourceId WHERE resourceId LIKE 5", "SELECT resourceId WHERE resourceType LIKE 'AW%'", "SELECT resourceId WHERE resourceType LIKE 'AWS_EC2%'", "SELECT resourceId WHERE resourceId IN 'a'", "SELECT resourceId WHERE resourceId IN ()", "SELECT resourceId WHERE resourceId BETWEEN 1",
		"SELECT resourceId, COUNT(*)", "SELECT resourceId GROUP BY resourceType", "SELECT * GROUP BY resourceType", "SELECT COUNT(COUNT(*))", "SELECT COUNT(resourceId, accountId)", "SELECT SUM(*)", "SELECT LENGTH(resourceId)",
		"SELECT accountId, awsRegion, resourceType, resourceId GROUP BY accountId, awsRegion, resourceType, resourceId", "SELECT accountId, awsRegion, COUNT(*) GROUP BY accountId, awsRegion ORDER BY COUNT(*)",
		"SELECT resourceId ORDER BY COUNT(*)", "SELECT resourceId ORDER resourceId", "SELECT resourceId GROUP resourceId", "SELECT resourceId; SELECT resourceId", "SELECT configuration..a", "SELECT configuration.", "SELECT resourceId WHERE resourceId == 'a'",
		"SELECT resourceId WHERE resourceId = \"a\"", "SELECT resourceId WHERE resourceId = 1.2.3", strings.Repeat("(", 200), "SELECT resourceId WHERE " + strings.Repeat("NOT ", 200) + "resourceId = 'a'",
	} {
		if _, err := parseSQL(query); err == nil || !strings.HasPrefix(err.Error(), "InvalidExpressionException: The syntax of the query is incorrect.") {
			t.Errorf("%s: %v", query, err)
		}
	}
}

// A query either runs or is refused in AWS's words, and what it gives is JSON.
func FuzzSQL(f *testing.F) {
	for _, seed := range []string{
		"SELECT resourceId, configuration.instanceType WHERE resourceType LIKE 'AWS::EC2%' AND NOT (awsRegion IN ('a','b') OR configuration.cpuOptions.coreCount >= 2) ORDER BY resourceId DESC, accountId",
		"SELECT resourceType, COUNT(*), AVG(configuration.cpuOptions.coreCount) WHERE tags.tag <> 'a=b' GROUP BY resourceType ORDER BY COUNT(*)", "SELECT * WHERE configuration.ebsOptimized = true", "SELECT resourceId WHERE configuration.x BETWEEN -1.5 AND 'z''z';",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, query string) {
		q, err := parseSQL(query)
		if err != nil {
			if !strings.HasPrefix(err.Error(), "InvalidExpressionException") {
				t.Errorf("%q: %v", query, err)
			}
			return
		}
		results, fields, err := q.run(sqlExamples)
		if err != nil || len(fields) == 0 || !q.aggregated() && len(results) > len(sqlExamples) {
			t.Errorf("%q: %v %v %v", query, results, fields, err)
		}
	})
}

func TestSelectCalls(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, ids, client := aggregating(t)
		ctx := context.Background()
		accept(t, func() error {
			_, err := client.PutConfigurationAggregator(ctx, organizationAggregator(s, "all"))
			return err
		})
		time.Sleep(5 * time.Minute)
		query := "SELECT accountId, COUNT(*) WHERE resourceType = 'AWS::Config::ResourceCompliance' AND configuration.complianceType = 'NON_COMPLIANT' GROUP BY accountId"
		out, err := client.SelectAggregateResourceConfig(ctx, &configservice.SelectAggregateResourceConfigInput{ConfigurationAggregatorName: aws.String("all"), Expression: aws.String(query)})
		if err != nil || len(out.Results) != 2 || len(out.QueryInfo.SelectFields) != 2 || *out.QueryInfo.SelectFields[1].Name != "COUNT(*)" {
			t.Errorf("%+v, %v", out, err)
		}
		page, err := client.SelectAggregateResourceConfig(ctx, &configservice.SelectAggregateResourceConfigInput{ConfigurationAggregatorName: aws.String("all"), Expression: aws.String("SELECT resourceId"), Limit: 1})
		if err != nil || len(page.Results) != 1 || page.NextToken == nil {
			t.Errorf("%+v, %v", page, err)
		}
		refuse(t, "NoSuchConfigurationAggregatorException", func() error {
			_, err := client.SelectAggregateResourceConfig(ctx, &configservice.SelectAggregateResourceConfigInput{ConfigurationAggregatorName: aws.String("none"), Expression: aws.String(query)})
			return err
		})

		cfg := entered(t, s, ids[0], "OrganizationAccountAccessRole", "")
		cfg.Region = "eu-west-1"
		there := configservice.NewFromConfig(cfg)
		refuse(t, "InvalidExpressionException", func() error {
			_, err := there.SelectResourceConfig(ctx, &configservice.SelectResourceConfigInput{Expression: aws.String("SELECT resourceId FROM here")})
			return err
		})
		one, err := there.SelectResourceConfig(ctx, &configservice.SelectResourceConfigInput{Expression: aws.String("SELECT resourceId WHERE resourceType = 'AWS::EC2::SecurityGroup' AND configuration.groupName = 'default'")})
		if err != nil || len(one.Results) == 0 || !strings.HasPrefix(one.Results[0], `{"resourceId":"sg-`) {
			t.Fatalf("%+v, %v", one, err)
		}
		id := strings.Split(one.Results[0], `"`)[3]
		// The guide's relationship query: interfaces of a group.
		s.UseGroups(ids[0], "eu-west-1", true)
		s.change(ids[0], func(a *account) { s.recordAll(a.region("eu-west-1")) })
		related, err := there.SelectResourceConfig(ctx, &configservice.SelectResourceConfigInput{Expression: aws.String("SELECT resourceId WHERE resourceType IN ('AWS::EC2::Instance', 'AWS::EC2::NetworkInterface') AND relationships.resourceId = '" + id + "'")})
		if err != nil || len(related.Results) != 1 || !strings.Contains(related.Results[0], "eni-") {
			t.Errorf("%+v, %v", related, err)
		}
		counts, err := there.GetDiscoveredResourceCounts(ctx, &configservice.GetDiscoveredResourceCountsInput{ResourceTypes: []string{typeSecurityGroup}})
		if err != nil || len(counts.ResourceCounts) != 1 || counts.TotalDiscoveredResources != counts.ResourceCounts[0].Count {
			t.Errorf("%+v, %v", counts, err)
		}
		batch, err := there.BatchGetResourceConfig(ctx, &configservice.BatchGetResourceConfigInput{ResourceKeys: []types.ResourceKey{
			{ResourceType: types.ResourceTypeSecurityGroup, ResourceId: aws.String(id)}, {ResourceType: types.ResourceTypeSecurityGroup, ResourceId: aws.String("sg-none")}}})
		if err != nil || len(batch.BaseConfigurationItems) != 1 || len(batch.UnprocessedResourceKeys) != 1 {
			t.Errorf("%+v, %v", batch, err)
		}
		sum, err := there.GetComplianceSummaryByConfigRule(ctx, &configservice.GetComplianceSummaryByConfigRuleInput{})
		if err != nil || sum.ComplianceSummary.NonCompliantResourceCount.CappedCount != 1 {
			t.Errorf("%+v, %v", sum, err)
		}
		for _, kinds := range [][]string{nil, {typeSecurityGroup}} {
			byType, err := there.GetComplianceSummaryByResourceType(ctx, &configservice.GetComplianceSummaryByResourceTypeInput{ResourceTypes: kinds})
			if err != nil || len(byType.ComplianceSummariesByResourceType) != 1 || byType.ComplianceSummariesByResourceType[0].ComplianceSummary.NonCompliantResourceCount.CappedCount == 0 {
				t.Errorf("%v: %+v, %v", kinds, byType, err)
			}
		}
		refuse(t, "InvalidTimeRangeException", func() error {
			_, err := there.GetResourceConfigHistory(ctx, &configservice.GetResourceConfigHistoryInput{ResourceType: types.ResourceTypeSecurityGroup, ResourceId: aws.String(id), EarlierTime: aws.Time(time.Now()), LaterTime: aws.Time(time.Now().Add(-time.Hour))})
			return err
		})
	})
}

// The worked examples of the developer guide (querying-AWS-resources, example-query).
func TestSQLExamplesOfTheGuide(t *testing.T) {
	ranges := func(id string, list ...any) map[string]any {
		return map[string]any{"resourceId": id, "resourceType": typeSecurityGroup, "configuration": map[string]any{"ipPermissions": []any{map[string]any{"ipRanges": list}}}}
	}
	rows := []map[string]any{ranges("exact", "10.0.0.0/24"), ranges("wider", "10.0.0.0/8"), ranges("narrower", "10.0.0.16/28"), ranges("one", "192.168.0.2/32"), ranges("all", "0.0.0.0/0"), ranges("six", "::/0"),
		{"resourceId": "R", "resourceType": typeCompliance, "configuration": map[string]any{"complianceType": "NON_COMPLIANT", "configRuleList": []any{
			map[string]any{"configRuleName": "A", "complianceType": "compliant"}, map[string]any{"configRuleName": "B", "complianceType": "non_compliant"}}}}}
	for query, want := range map[string]string{
		// "for 10.0.0.0/24 and only that IP block"; a block inside of it is one, too.
		"SELECT resourceId WHERE resourceType = 'AWS::EC2::SecurityGroup' AND configuration.ipPermissions.ipRanges BETWEEN '10.0.0.0' AND '10.0.0.255' AND NOT configuration.ipPermissions.ipRanges < '10.0.0.0' AND NOT configuration.ipPermissions.ipRanges > '10.0.0.255'": `[{"resourceId":"exact"} {"resourceId":"narrower"}]`,
		"SELECT resourceId WHERE configuration.ipPermissions.ipRanges = '192.168.0.2' AND NOT configuration.ipPermissions.ipRanges > '192.168.0.2' AND NOT configuration.ipPermissions.ipRanges < '192.168.0.2'":                                                              `[{"resourceId":"one"}]`,
		"SELECT resourceId WHERE configuration.ipPermissions.ipRanges = '192.168.0.2'":                                                                `[{"resourceId":"one"} {"resourceId":"all"}]`,
		"SELECT resourceId WHERE configuration.ipPermissions.ipRanges = '0.0.0.0/0'":                                                                  `[{"resourceId":"all"}]`,
		"SELECT resourceId WHERE configuration.configRuleList.complianceType = 'non_compliant' AND configuration.configRuleList.configRuleName = 'A'": `[{"resourceId":"R"}]`,
		"SELECT configuration.complianceType, COUNT(*) WHERE resourceType = 'AWS::Config::ResourceCompliance' GROUP BY configuration.complianceType":  `[{"COUNT(*)":1,"configuration":{"complianceType":"NON_COMPLIANT"}}]`,
		"SELECT COUNT(*), resourceType group by resourceType":                                                                                         `[{"COUNT(*)":1,"resourceType":"AWS::Config::ResourceCompliance"} {"COUNT(*)":6,"resourceType":"AWS::EC2::SecurityGroup"}]`,
	} {
		q, err := parseSQL(query)
		if err != nil {
			t.Fatal(query, err)
		}
		if results, _, err := q.run(rows); err != nil || fmt.Sprint(results) != want {
			t.Errorf("%s\n got %v, %v\nwant %s", query, results, err, want)
		}
	}
}
