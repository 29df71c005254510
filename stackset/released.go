package stackset

import (
	"context"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/organizations"

	"rollout/internal/awsapi"
	"rollout/internal/fanout"
	"rollout/orgs"
	"rollout/templates"
)

// TagReleased is the tag of an account, in Organizations, whose recorder was taken out by
// rollout release: a later run does not put it back. Its value says for what.
const TagReleased = "rollout:released"

// ForTower is that value: the account is to be enrolled with Control Tower.
const ForTower = "control-tower"

// readReleased asks for the tag of those accounts that look as a released one does: no
// recorder of ours, none of anybody else's in some Region, and something of ours there
// all the same. Tags cost a call an account.
func readReleased(ctx context.Context, s *awsapi.Session, d Desired, sets []Set, facts *Facts) error {
	recording, something := map[string]bool{}, map[string]bool{}
	for _, set := range sets {
		for t := range set.Instances {
			something[t.AccountID] = true
			if set.Template.Name == templates.Recording {
				recording[t.AccountID] = true
			}
		}
	}
	var ask []*orgs.Account
	for _, a := range d.Accounts {
		f := facts.Accounts[a.ID]
		if f != nil && !a.Management && !recording[a.ID] && (something[a.ID] || f.Bucket == Present) && free(d, f) {
			ask = append(ask, a)
		}
	}
	if len(ask) == 0 {
		return nil
	}
	api := orgs.NewClient(s.Own(""))
	type answer struct {
		value string
		err   error
	}
	for a, got := range fanout.Ordered(ctx, ask, accountReads, func(ctx context.Context, a *orgs.Account) answer {
		tags, err := accountTags(ctx, api, a.ID)
		return answer{tags[TagReleased], err}
	}) {
		facts.Accounts[a.ID].Released = got.value
		if got.err != nil {
			facts.TagsUnread = append(facts.TagsUnread, TagGap{a, sentence(awsapi.Text(got.err))})
		}
	}
	return ctx.Err()
}

// TagGap is an account whose tags could not be read.
type TagGap struct {
	Account *orgs.Account
	Text    string
}

// free says whether an account lacks a recorder in a Region where a run would record.
func free(d Desired, f *AccountFacts) bool {
	if f.Gap.Is() || !slices.ContainsFunc(templates.Together(d.Templates), func(t templates.Template) bool { return t.Name == templates.Recording }) {
		return false
	}
	return slices.ContainsFunc(d.RegionsOf(templates.Template{Name: templates.Recording}), func(region string) bool {
		r := f.Regions[region]
		return r != nil && !r.Off && !r.Gap.Is() && r.Recorder == nil
	})
}

func accountTags(ctx context.Context, api organizations.ListTagsForResourceAPIClient, account string) (map[string]string, error) {
	tags := map[string]string{}
	pages := organizations.NewListTagsForResourcePaginator(api, &organizations.ListTagsForResourceInput{ResourceId: aws.String(account)})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, err
		}
		for _, t := range page.Tags {
			tags[aws.ToString(t.Key)] = aws.ToString(t.Value)
		}
	}
	return tags, nil
}
