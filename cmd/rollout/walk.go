package main

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"
	"github.com/bmatcuk/doublestar/v4"

	"rollout/internal/awsapi"
	"rollout/orgs"
)

// choice is what the walk and the selection of a run came to.
type choice struct {
	tree         *orgs.Tree
	selection    orgs.Selection
	accounts     []*orgs.Account // the chosen ones
	callAs       types.CallAs
	organization orgs.Organization
}

// organization finds out which organization this is, and as whom to call StackSets.
func (j *job) organization(ctx context.Context, api orgs.API) (*choice, orgs.Organization, error) {
	organization, err := orgs.Describe(ctx, api)
	if err != nil {
		return nil, organization, err
	}
	callAs, err := j.callAsIn(organization)
	return &choice{callAs: callAs, organization: organization}, organization, err
}

// walkTree finds out which organization this is, and walks as much of the tree as the
// selection needs.
func (j *job) walkTree(ctx context.Context) (*choice, error) {
	api := orgs.NewClient(j.session.Own(""))
	chosen, organization, err := j.organization(ctx, api)
	if err != nil {
		return nil, err
	}
	return chosen, j.walkFrom(ctx, api, organization, chosen)
}

// walkFrom walks an organization that is known.
func (j *job) walkFrom(ctx context.Context, api orgs.API, organization orgs.Organization, chosen *choice) (err error) {
	bar := j.out.Bar("walking "+organization.ID, 0)
	defer bar.Done()
	chosen.tree, err = orgs.Walk(ctx, api, orgs.WalkOptions{Organization: &organization, Caller: j.session.Account, Below: j.Selector.Below(), Tags: j.Selector.NeedsTags()}, func(e orgs.Event) {
		if w, ok := e.(orgs.Walked); ok {
			bar.Set(w.Accounts, w.Accounts+1, fmt.Sprintf("accounts, %d OUs", w.OUs))
		}
	})
	return err
}

// callAsIn says as whom StackSets is called in an organization, and refuses one that is
// not expected.
func (j *job) callAsIn(organization orgs.Organization) (types.CallAs, error) {
	if j.ExpectOrganization != "" && organization.ID != j.ExpectOrganization {
		return "", fmt.Errorf("the credentials belong to organization %s, and --expect-organization says %s; nothing else was read, nothing changed", organization.ID, j.ExpectOrganization)
	}
	if j.CallAs == "self" && j.session.Account != organization.ManagementAccount {
		return "", fmt.Errorf("--call-as self: the credentials belong to account %s, and organization %s is managed by %s; a service-managed StackSet is made from there, or by a delegated administrator (--call-as delegated-admin)", j.session.Account, organization.ID, organization.ManagementAccount)
	}
	if j.CallAs == "delegated-admin" || j.CallAs == "" && j.session.Account != organization.ManagementAccount {
		return types.CallAsDelegatedAdmin, nil
	}
	return types.CallAsSelf, nil
}

// walk walks and selects. all is true where an empty selection means every
// account (commands that only read).
func (j *job) walk(ctx context.Context, all bool) (*choice, error) {
	if !all && j.Selector.Empty() {
		return nil, usageError{"nothing is chosen: say which accounts with --ou, --account or --account-tag; --ou with the root's id (rollout tree shows it) is the whole organization"}
	}
	chosen, err := j.walkTree(ctx)
	if err != nil {
		return nil, err
	}
	chosen.selection, err = j.Selector.Select(chosen.tree)
	if err != nil {
		return nil, err
	}
	for _, d := range chosen.selection.Decisions {
		if d.Selected {
			chosen.accounts = append(chosen.accounts, d.Account)
		}
	}
	if len(chosen.accounts) == 0 {
		return nil, fmt.Errorf("the selection leaves no account of the %d in organization %s; rollout tree with the same options says of each why it is out", len(chosen.tree.Accounts), chosen.tree.OrganizationID)
	}
	j.out.Line("organization %s: %d accounts, %d chosen%s", chosen.tree.OrganizationID, len(chosen.tree.Accounts), len(chosen.accounts), j.selectionWords())
	return chosen, nil
}

// selectionWords says how the accounts were chosen, for people.
func (j *job) selectionWords() string {
	var parts []string
	add := func(words string, values []string) {
		if len(values) > 0 {
			parts = append(parts, words+" "+strings.Join(values, ", "))
		}
	}
	add("under", j.Selector.OUs)
	add("accounts", j.Selector.Accounts)
	add("tagged", j.Selector.AccountTags)
	add("without", append(slices.Clone(j.Selector.ExcludeOUs), j.Selector.ExcludeAccounts...))
	if len(parts) == 0 {
		return ""
	}
	return " (" + strings.Join(parts, "; ") + ")"
}

// regions is what the caller's account can use and what was asked for.
type regions struct {
	all    []awsapi.Region
	on     []string        // on in the caller's account, sorted
	chosen []string        // asked for, sorted
	optIn  map[string]bool // the opt-in ones
	// off are those of chosen that are off in the account that owns the sets; unasked says
	// why that account could not be asked, "" where it was or need not be.
	off     map[string]bool
	unasked string
	owner   map[string]bool // those that are on there, nil where it is the caller's account
}

// chooseRegions resolves --region against the Regions of the caller's account.
func (j *job) chooseRegions(ctx context.Context, needed bool) (*regions, error) {
	return j.chooseRegionsOf(ctx, "", needed)
}

// chooseRegionsOf is chooseRegions for a run whose sets belong to an account, "" for one
// that deploys nothing: a Region that was named is then kept although it is off there.
func (j *job) chooseRegionsOf(ctx context.Context, owner string, needed bool) (*regions, error) {
	if needed && len(j.Regions) == 0 {
		return nil, usageError{"--region is missing: name the Regions, a glob (eu-*) or all"}
	}
	known, err := awsapi.ListRegions(ctx, j.session.Own(""), "")
	if err != nil {
		if ctx.Err() != nil {
			return nil, err
		}
		known = awsapi.KnownRegions(j.session.Partition)
		j.out.Warn("which Regions are on in account %s could not be read (%s); going by the Regions this version knows in partition %s", j.session.Account, awsapi.Text(err), j.session.Partition)
	}
	r := &regions{all: known, optIn: map[string]bool{}, off: map[string]bool{}}
	byName := map[string]awsapi.Region{}
	for _, k := range known {
		byName[k.Name] = k
		r.optIn[k.Name] = k.OptIn
		if k.On {
			r.on = append(r.on, k.Name)
		}
	}
	if _, ok := byName[j.session.HomeRegion]; !ok {
		return nil, fmt.Errorf("the home Region %q does not exist in partition %s; --home-region names it, else AWS_REGION or the profile%s", j.session.HomeRegion, j.session.Partition, suggest(j.session.HomeRegion, byName))
	}
	sure := err == nil // which are on
	if owner != "" && owner != j.session.Account && slices.ContainsFunc(known, func(k awsapi.Region) bool { return k.OptIn && j.asksFor(k.Name) }) {
		if sure, err = r.seenBy(ctx, j.session, owner); err != nil {
			return nil, err
		}
	}
	for _, asked := range j.Regions {
		matched := 0
		for _, k := range known {
			if meant(asked, k.Name) {
				matched++
				on := k.On
				if r.owner != nil {
					on = r.owner[k.Name]
				}
				if !on && asked != k.Name {
					continue // globs mean what is on
				}
				if !on && sure && owner != "" {
					r.off[k.Name] = true
				} else if !on && sure {
					return nil, fmt.Errorf("--region %s: it is off in account %s: choose another, or switch it on there (aws account enable-region --region-name %s)", k.Name, j.session.Account, k.Name)
				}
				if !slices.Contains(r.chosen, k.Name) {
					r.chosen = append(r.chosen, k.Name)
				}
			}
		}
		if matched == 0 {
			return nil, usageError{fmt.Sprintf("--region %q: there is no such Region in partition %s%s", asked, j.session.Partition, suggest(asked, byName))}
		}
	}
	slices.Sort(r.chosen)
	if needed && len(r.chosen) == 0 {
		return nil, usageError{fmt.Sprintf("--region %s matches no Region that is on in account %s", strings.Join(j.Regions, ","), j.session.Account)}
	}
	return r, nil
}

// asksFor says whether --region names a Region, or a glob of it does.
func (j *job) asksFor(region string) bool {
	return slices.ContainsFunc(j.Regions, func(asked string) bool { return meant(asked, region) })
}

func meant(asked, region string) bool {
	return asked == "all" || asked == region || isGlob(asked) && doublestar.MatchUnvalidated(asked, region)
}

// seenBy asks which Regions are on in the account that owns the sets, which is not the
// caller's; false when it could not be asked. A delegated administrator of Account
// Management may.
func (r *regions) seenBy(ctx context.Context, s *awsapi.Session, owner string) (asked bool, err error) {
	list, err := awsapi.ListRegions(ctx, s.Own(""), owner)
	if ctx.Err() != nil {
		return false, err
	}
	if err != nil {
		r.unasked = awsapi.Text(err)
		return false, nil
	}
	r.owner = map[string]bool{}
	for _, k := range list {
		r.owner[k.Name] = k.On
	}
	return true, nil
}

func isGlob(s string) bool { return strings.ContainsAny(s, "*?[{") }

func suggest(name string, byName map[string]awsapi.Region) string {
	var names []string
	for n := range byName {
		names = append(names, n)
	}
	slices.Sort(names)
	if near := nearest(name, names); near != "" {
		return fmt.Sprintf("; did you mean %s?", near)
	}
	return ""
}
