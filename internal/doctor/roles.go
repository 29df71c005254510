package doctor

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/organizations"

	"rollout/internal/awsapi"
	"rollout/internal/fanout"
	"rollout/orgs"
)

// nothing is a session policy under which a role can do nothing: that it can be assumed
// is all that is wanted.
const nothing = `{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Action":"*","Resource":"*"}]}`

// accountsAtOnce bounds the accounts that are entered side by side.
const accountsAtOnce = 32

// roles tries the roles in the accounts chosen, else in those of the first page of the
// list, which is enough to learn which role works.
func (e *examiner) roles(ctx context.Context) []Finding {
	const check = "roles"
	accounts, few := e.o.Accounts, ""
	if accounts == nil {
		out, err := e.api.ListAccounts(ctx, &organizations.ListAccountsInput{MaxResults: aws.Int32(20)})
		if err != nil {
			return unread(check, "the accounts", "organizations:ListAccounts", err)
		}
		for _, a := range out.Accounts {
			state := string(a.State)
			if state == "" { // an organization that does not give it
				state = string(a.Status)
			}
			accounts = append(accounts, &orgs.Account{ID: aws.ToString(a.Id), Name: aws.ToString(a.Name), State: state, Management: aws.ToString(a.Id) == e.report.Organization.ManagementAccount})
		}
		if out.NextToken != nil {
			few = ", tried in the first of the list; --ou or --account names others"
		}
	}
	accounts = slices.DeleteFunc(slices.Clone(accounts), func(a *orgs.Account) bool { return !a.Active() || a.ID == e.s.Account || a.Management })
	if len(accounts) == 0 {
		return one(check, OK, "no other account is there to be entered", "", "")
	}
	entered := map[string]int{}
	closed := map[string][]string{} // account names by what AWS said
	done := 0
	for a, r := range fanout.Ordered(ctx, accounts, accountsAtOnce, func(ctx context.Context, a *orgs.Account) entry { return e.enter(ctx, a.ID) }) {
		if done++; e.o.Entered != nil {
			e.o.Entered(done, len(accounts))
		}
		if r.err == nil {
			entered[r.role]++
			continue
		}
		text := awsapi.Text(r.err)
		var tried *awsapi.EnterError
		if errors.As(r.err, &tried) {
			text = tried.Error()
		}
		closed[text] = append(closed[text], fmt.Sprintf("%s (%s)", a.Name, a.ID))
	}
	if ctx.Err() != nil {
		return nil
	}
	var by []string
	ok := 0
	for _, role := range slices.Sorted(maps.Keys(entered)) {
		by = append(by, fmt.Sprintf("%s in %d", role, entered[role]))
		ok += entered[role]
	}
	var out []Finding
	do := "deploy the template rollout-reader there, or name a role that this identity may assume with --role-name (and --external-id)"
	switch {
	case ok == 0:
		return one(check, Error, fmt.Sprintf("none of %d accounts could be entered%s", len(accounts), few), slices.Sorted(maps.Keys(closed))[0], do)
	case entered[awsapi.DefaultRoleNames[0]] < ok:
		out = one(check, OK, fmt.Sprintf("%d of %d accounts could be entered: %s%s", ok, len(accounts), strings.Join(by, ", "), few), "", "")
		out[0].Do = "a role that can only read is enough: rollout deploy --template rollout-reader makes it"
	default:
		out = one(check, OK, fmt.Sprintf("%d of %d accounts could be entered: %s%s", ok, len(accounts), strings.Join(by, ", "), few), "", "")
	}
	for _, said := range slices.Sorted(maps.Keys(closed)) {
		out = append(out, one(check, Warning, fmt.Sprintf("%d of %d accounts could not be entered: %s", len(closed[said]), len(accounts), firstOf(closed[said])), said, do)...)
	}
	return out
}

type entry struct {
	role string
	err  error
}

func (e *examiner) enter(ctx context.Context, account string) entry {
	in, err := e.s.Enter(ctx, account, nothing)
	if err != nil {
		return entry{err: err}
	}
	return entry{role: in.Role}
}

// firstOf names a few.
func firstOf(names []string) string {
	const few = 5
	if len(names) <= few {
		return strings.Join(names, ", ")
	}
	return fmt.Sprintf("%s and %d more", strings.Join(names[:few], ", "), len(names)-few)
}
