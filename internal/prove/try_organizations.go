package prove

import (
	"context"
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/organizations"
	"github.com/aws/aws-sdk-go-v2/service/organizations/types"
)

func organizationsScenarios() []Scenario {
	return []Scenario{
		{
			Name: "org-errors", Title: "what Organizations says to a wrong request",
			Calls: []string{"organizations:ListAccountsForParent", "organizations:ListAccounts"},
			Claims: []Claim{
				{Name: "org-error-status", Lines: []string{"PRV-01"},
					Text: "Organizations answers a client's mistake with HTTP 400, whatever the SDKs' own error fixtures say (404 for a missing parent)"},
				{Name: "org-page-limit", Documented: true, Text: "a page of 21 accounts is refused: InvalidInputException"},
				{Name: "org-next-token", Documented: true, Text: "a made-up NextToken is refused: InvalidInputException"},
			},
			try: tryOrganizationErrors,
		},
		{
			Name: "org-rate", Title: "Organizations' request rate",
			Calls: []string{"organizations:ListRoots, up to 12 at once"},
			Claims: []Claim{{Name: "org-throttle-status", Lines: []string{"PRV-02"},
				Text: "too many requests are TooManyRequestsException with HTTP 400, not 429"}},
			try: tryOrganizationRate,
		},
		{
			Name: "org-states", Title: "the states of accounts",
			Calls: []string{"organizations:ListAccounts, all pages"},
			Claims: []Claim{{Name: "org-closed-state", Lines: []string{"PRV-03", "ORG-07"},
				Text: "an account that was closed reads SUSPENDED in State for its 90 days; CLOSED is not seen"}},
			try: tryAccountStates,
		},
	}
}

func tryOrganizationErrors(ctx context.Context, t *trial) error {
	api := t.organization()
	nowhere := t.OU[:strings.LastIndex(t.OU, "-")+1] + "zzzzzzzz"
	_, err := api.ListAccountsForParent(ctx, &organizations.ListAccountsForParentInput{ParentId: aws.String(nowhere)})
	if got := answer(err); got.Code == "ParentNotFoundException" {
		t.holds("org-error-status", got.Status == 400, "%s", got)
	} else if got.Code == "" {
		return fmt.Errorf("list the accounts of %s: %w", nowhere, err)
	} else {
		t.failed("org-error-status", err)
	}
	_, err = api.ListAccounts(ctx, &organizations.ListAccountsInput{MaxResults: aws.Int32(21)})
	t.refused("org-page-limit", err, 0, "InvalidInputException")
	_, err = api.ListAccounts(ctx, &organizations.ListAccountsInput{NextToken: aws.String("rollout-prove")})
	t.refused("org-next-token", err, 0, "InvalidInputException")
	return ctx.Err()
}

func tryOrganizationRate(ctx context.Context, t *trial) error {
	api := organizations.NewFromConfig(t.own(), func(o *organizations.Options) { o.Retryer = aws.NopRetryer{} })
	const calls = 12
	for range calls {
		_, err := api.ListRoots(ctx, &organizations.ListRootsInput{})
		if err == nil {
			continue
		}
		got := answer(err)
		if got.Code != "TooManyRequestsException" {
			return err
		}
		t.holds("org-throttle-status", got.Status == 400, "%s", got)
		return nil
	}
	t.skip("org-throttle-status", "%d calls of ListRoots at once were all answered", calls)
	return nil
}

func tryAccountStates(ctx context.Context, t *trial) error {
	counts := map[types.AccountState]int{}
	pages := organizations.NewListAccountsPaginator(t.organization(), &organizations.ListAccountsInput{})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return fmt.Errorf("list the accounts: %w", err)
		}
		for _, a := range page.Accounts {
			counts[a.State]++
		}
	}
	suspended, closed := counts[types.AccountStateSuspended], counts[types.AccountStateClosed]
	switch {
	case counts[""] > 0:
		t.skip("org-closed-state", "%d accounts have no State", counts[""])
	case suspended+closed == 0:
		t.skip("org-closed-state", "no account of the organization is suspended or closed")
	default:
		t.holds("org-closed-state", closed == 0, "%d accounts read SUSPENDED, %d CLOSED", suspended, closed)
	}
	return nil
}
