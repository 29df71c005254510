package blast

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"
)

const typeUser = "AWS::IAM::User"

var accessKeyReads = []string{"iam:GetAccessKeyLastUsed", "iam:ListAccessKeys", "iam:ListUserTags", "iam:ListUsers"}

// Idle keys are those that nobody used within so many days: the template's own default.
// Whoever set IdleDays lower takes keys that are in use.
const idleDays = 30

// accessKeys lists the users with keys that are due. Only users that Config found are
// looked at where its rules are evaluated, for each costs three calls or more.
func accessKeys(ctx context.Context, at *site, m remedy) ([]Resource, error) {
	api := iam.NewFromConfig(at.cfg)
	var users []types.User
	for pages := iam.NewListUsersPaginator(api, &iam.ListUsersInput{MaxItems: aws.Int32(1000)}); pages.HasMorePages(); {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, err
		}
		users = append(users, page.Users...)
	}
	all := slices.ContainsFunc(m.rules, func(r ruled) bool { return r.source == "" })
	var out []Resource
	seen := map[string]bool{}
	for _, u := range users {
		id := aws.ToString(u.UserId)
		seen[id] = true
		if !all && !slices.ContainsFunc(m.rules, func(r ruled) bool { return r.has(id) }) {
			continue
		}
		keys, err := keysOf(ctx, api, aws.ToString(u.UserName))
		if noSuchEntity(err) { // gone since it was listed
			continue
		}
		if err != nil {
			return nil, err
		}
		var tags map[string]string
		for _, r := range m.rules {
			one := at.resource(m, r, typeUser, id, "AWS IAM")
			due := r.due(keys)
			if len(due) == 0 {
				out = append(out, asAsked(one, "no active key of user "+aws.ToString(u.UserName)+" is due")...)
				continue
			}
			if tags == nil {
				if tags, err = userTags(ctx, api, aws.ToString(u.UserName)); err != nil {
					return nil, err
				}
			}
			one.deactivate(aws.ToString(u.UserName), due, int(number(r.Values["IdleDays"])), at.exempt(tags, "", "user"))
			out = append(out, one)
		}
	}
	for _, r := range m.rules {
		for _, id := range sortedKeys(r.found) {
			if !seen[id] {
				out = append(out, asAsked(at.resource(m, r, typeUser, id, ""), "there is no such user any more")...)
			}
		}
	}
	return out, nil
}

// has says whether the rule found the resource.
func (r ruled) has(id string) bool {
	_, found := r.found[id]
	return found
}

// key is an access key, with its age and the time since it was used.
type key struct {
	id        string
	active    bool
	age, idle time.Duration
	used      bool
}

func keysOf(ctx context.Context, api *iam.Client, user string) ([]key, error) {
	var out []key
	now := time.Now()
	for pages := iam.NewListAccessKeysPaginator(api, &iam.ListAccessKeysInput{UserName: &user}); pages.HasMorePages(); {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, err
		}
		for _, k := range page.AccessKeyMetadata {
			one := key{id: aws.ToString(k.AccessKeyId), active: k.Status == types.StatusTypeActive, age: now.Sub(aws.ToTime(k.CreateDate))}
			one.idle = one.age
			if one.active { // another one is left as it is
				last, err := api.GetAccessKeyLastUsed(ctx, &iam.GetAccessKeyLastUsedInput{AccessKeyId: k.AccessKeyId})
				if err != nil {
					return nil, err
				}
				if last.AccessKeyLastUsed != nil && last.AccessKeyLastUsed.LastUsedDate != nil {
					one.used, one.idle = true, now.Sub(*last.AccessKeyLastUsed.LastUsedDate)
				}
			}
			out = append(out, one)
		}
	}
	return out, nil
}

func userTags(ctx context.Context, api *iam.Client, user string) (map[string]string, error) {
	out := map[string]string{}
	for pages := iam.NewListUserTagsPaginator(api, &iam.ListUserTagsInput{UserName: &user}); pages.HasMorePages(); {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, err
		}
		for _, t := range page.Tags {
			out[aws.ToString(t.Key)] = aws.ToString(t.Value)
		}
	}
	return out, nil
}

func days(d time.Duration) int { return int(d / (24 * time.Hour)) }

// due are the active keys that the rule's remediation would look at.
func (r ruled) due(keys []key) (out []key) {
	limit := time.Duration(number(r.Values["Days"])) * 24 * time.Hour
	for _, k := range keys {
		since := k.idle
		if r.Values["Due"] == "Age" {
			since = k.age
		}
		if k.active && since > limit {
			out = append(out, k)
		}
	}
	return out
}

// deactivate is the runbook's decision on the keys of a user that are due.
func (one *Resource) deactivate(user string, due []key, idle int, exempt string) {
	var taken, left []string
	for _, k := range due {
		if k.used && k.idle < time.Duration(idle)*24*time.Hour {
			left = append(left, k.id)
		} else {
			taken = append(taken, k.id)
		}
		if k.used && days(k.idle) < idleDays {
			one.Leans = append(one.Leans, fmt.Sprintf("%s was used %d days ago", k.id, days(k.idle)))
		}
	}
	one.Verdict = Safe
	if len(one.Leans) > 0 {
		one.Verdict = NotSafe
	}
	switch {
	case exempt != "":
		one.Verdict, one.Leans, one.Reason = Safe, nil, "left: user "+user+" has the "+exempt
	case len(taken) == 0:
		one.Reason = "left: user " + user + ": " + listed(one.Leans)
	default:
		one.WouldChange, one.Reason = true, "deactivates "+listed(taken)+" of user "+user
		if len(one.Leans) == 0 {
			one.Reason += fmt.Sprintf(", used by nobody for %d days", idleDays)
		}
		if len(left) > 0 {
			one.Reason += "; leaves " + listed(left)
		}
	}
}
