package prove

import (
	"context"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/configservice"

	"rollout/internal/awsapi"
)

func configScenarios() []Scenario {
	return []Scenario{{
		Name: "config", Title: "what AWS Config says to a wrong request",
		Calls: []string{"sts:AssumeRole of a role in the accounts chosen, narrowed to one read", "config:DescribeComplianceByConfigRule", "config:DescribeDeliveryChannels, which the session may not call"},
		Claims: []Claim{
			{Name: "config-denied-status", Lines: []string{"PRV-25"}, Text: "a call that the session may not make is AccessDeniedException, HTTP 400"},
			{Name: "config-missing-rule", Documented: true, Text: "the compliance of a rule that is not there is NoSuchConfigRuleException, HTTP 400"},
			{Name: "config-batch", Lines: []string{"PRV-26"}, Text: "one name that is not there fails a whole batch of names"},
			{Name: "config-cap", Lines: []string{"CFG-13"}, Text: "the count of a rule's resources stops at 25, with CapExceeded"},
		},
		try: tryConfig,
	}}
}

// configReads is all that the session may do.
const configReads = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Resource":"*","Action":"config:DescribeComplianceByConfigRule"}]}`

// config gives Config's client in an account. A service that answers 500 to one
// request is not asked for long.
func (t *trial) config(entry *awsapi.Entry) *configservice.Client {
	return configservice.NewFromConfig(t.rec.watch(entry.Config(t.region())), func(o *configservice.Options) { o.RetryMaxAttempts = 4 })
}

func tryConfig(ctx context.Context, t *trial) error {
	entry, err := t.enterFirst(ctx, configReads)
	if err != nil {
		return err
	}
	api := t.config(entry)
	_, err = api.DescribeDeliveryChannels(ctx, &configservice.DescribeDeliveryChannelsInput{})
	if entry.Account == t.Session.Account {
		t.skip("config-denied-status", "the account is the caller's own, so no role narrows the session")
	} else {
		t.refused("config-denied-status", err, 400, "AccessDeniedException")
	}
	const nowhere = Prefix + "no-such-rule"
	_, err = api.DescribeComplianceByConfigRule(ctx, &configservice.DescribeComplianceByConfigRuleInput{ConfigRuleNames: []string{nowhere}})
	t.refused("config-missing-rule", err, 400, "NoSuchConfigRuleException")

	return t.tryRules(ctx, nowhere)
}

// tryRules looks for an account with rules among the chosen ones; one that cannot be
// entered has none to look at.
func (t *trial) tryRules(ctx context.Context, nowhere string) error {
	var api *configservice.Client
	var names []string
	most, capped := int32(0), false
	for _, a := range t.Accounts {
		entry, err := t.Session.Enter(ctx, a.ID, configReads)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err != nil {
			continue
		}
		api = t.config(entry)
		pages := configservice.NewDescribeComplianceByConfigRulePaginator(api, &configservice.DescribeComplianceByConfigRuleInput{})
		for pages.HasMorePages() {
			page, err := pages.NextPage(ctx)
			if err != nil {
				return fmt.Errorf("read the compliance of account %s: %w", a.ID, err)
			}
			for _, r := range page.ComplianceByConfigRules {
				names = append(names, aws.ToString(r.ConfigRuleName))
				if c := r.Compliance; c != nil && c.ComplianceContributorCount != nil {
					most, capped = max(most, c.ComplianceContributorCount.CappedCount), capped || c.ComplianceContributorCount.CapExceeded
				}
			}
		}
		if len(names) > 0 {
			break
		}
	}
	if capped {
		t.holds("config-cap", most == 25, "the greatest count is %d, and one exceeds the cap", most)
	} else {
		t.skip("config-cap", "no rule there has more resources than are counted (%d rules)", len(names))
	}
	if len(names) == 0 {
		t.skip("config-batch", "the accounts chosen have no rule in %s", t.region())
		return nil
	}
	out, err := api.DescribeComplianceByConfigRule(ctx, &configservice.DescribeComplianceByConfigRuleInput{ConfigRuleNames: []string{names[0], nowhere}})
	if err != nil {
		t.refused("config-batch", err, 400, "NoSuchConfigRuleException")
	} else {
		t.holds("config-batch", false, "%d of 2 rules were answered", len(out.ComplianceByConfigRules))
	}
	return ctx.Err()
}
