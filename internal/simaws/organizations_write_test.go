package simaws

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/organizations"
	"github.com/aws/aws-sdk-go-v2/service/organizations/types"
	"github.com/aws/aws-sdk-go-v2/service/sts"
)

// An organization made by API alone, from none at all.
func TestOrganizationFromNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := New(Options{NoOrganization: true, Accounts: 5})
		api, ctx := organizations.NewFromConfig(sdk(s, "us-east-1")), t.Context()
		if _, err := api.ListRoots(ctx, &organizations.ListRootsInput{}); code(err) != "AWSOrganizationsNotInUseException" {
			t.Fatal("before: ", err)
		}
		o, err := api.CreateOrganization(ctx, &organizations.CreateOrganizationInput{})
		if err != nil || o.Organization.FeatureSet != types.OrganizationFeatureSetAll {
			t.Fatal(o, err)
		}
		roots, err := api.ListRoots(ctx, &organizations.ListRootsInput{})
		if err != nil {
			t.Fatal(err)
		}
		root := roots.Roots[0].Id
		accounts, err := api.ListAccounts(ctx, &organizations.ListAccountsInput{})
		if err != nil || len(accounts.Accounts) != 1 || *accounts.Accounts[0].Id != *o.Organization.MasterAccountId {
			t.Fatal("accounts: ", accounts, err)
		}
		var moves []string
		s.onMove = append(s.onMove, func(a *account, from, to string) { moves = append(moves, a.Name+" "+from+" "+to) })
		ou, err := api.CreateOrganizationalUnit(ctx, &organizations.CreateOrganizationalUnitInput{ParentId: root, Name: aws.String("Workloads")})
		if err != nil {
			t.Fatal(err)
		}
		asked, err := api.CreateAccount(ctx, &organizations.CreateAccountInput{AccountName: aws.String("one"), Email: aws.String("one@example.com"), RoleName: aws.String("Admin")})
		if err != nil || asked.CreateAccountStatus.State != types.CreateAccountStateInProgress {
			t.Fatal(asked, err)
		}
		time.Sleep(2 * time.Minute)
		done, err := api.DescribeCreateAccountStatus(ctx, &organizations.DescribeCreateAccountStatusInput{CreateAccountRequestId: asked.CreateAccountStatus.Id})
		if err != nil || done.CreateAccountStatus.State != types.CreateAccountStateSucceeded {
			t.Fatal(done, err)
		}
		id := done.CreateAccountStatus.AccountId
		if _, err := sts.NewFromConfig(sdk(s, "us-east-1")).AssumeRole(ctx, &sts.AssumeRoleInput{RoleArn: aws.String("arn:aws:iam::" + *id + ":role/Admin"), RoleSessionName: aws.String("test")}); err != nil {
			t.Error("its role: ", err)
		}
		member := entered(t, s, *id, "Admin", "")
		if _, err := organizations.NewFromConfig(member).CreateOrganizationalUnit(ctx, &organizations.CreateOrganizationalUnitInput{ParentId: root, Name: aws.String("x")}); code(err) != "AccessDeniedException" {
			t.Error("a member writes: ", err)
		}
		if _, err := api.MoveAccount(ctx, &organizations.MoveAccountInput{AccountId: id, SourceParentId: root, DestinationParentId: ou.OrganizationalUnit.Id}); err != nil {
			t.Fatal(err)
		}
		seen, err := api.DescribeAccount(ctx, &organizations.DescribeAccountInput{AccountId: id})
		if want := *ou.OrganizationalUnit.Path + *id + "/"; err != nil || seen.Account.Paths[0] != want {
			t.Error(seen.Account.Paths, want, err)
		}
		leave := &organizations.RemoveAccountFromOrganizationInput{AccountId: id}
		if _, err := api.RemoveAccountFromOrganization(ctx, leave); code(err) != "ConstraintViolationException" {
			t.Error("it leaves too early: ", err)
		}
		time.Sleep(5 * 24 * time.Hour)
		if _, err := api.RemoveAccountFromOrganization(ctx, leave); err != nil {
			t.Error(err)
		}
		if _, err := sts.NewFromConfig(member).GetCallerIdentity(ctx, &sts.GetCallerIdentityInput{}); err == nil {
			t.Error("the keys of an account that left still work")
		}
		if want := []string{"one  " + *root, "one " + *root + " " + *ou.OrganizationalUnit.Id, "one " + *ou.OrganizationalUnit.Id + " "}; len(moves) != 3 || moves[0] != want[0] || moves[1] != want[1] || moves[2] != want[2] {
			t.Errorf("moves %q, want %q", moves, want)
		}
		if _, err := api.DeleteOrganizationalUnit(ctx, &organizations.DeleteOrganizationalUnitInput{OrganizationalUnitId: ou.OrganizationalUnit.Id}); err != nil {
			t.Error(err)
		}
	})
}

func TestClosingAccounts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := New(Options{Accounts: 40, Empty: true})
		api, ctx := organizations.NewFromConfig(sdk(s, "us-east-1")), t.Context()
		var ids []string
		for _, a := range s.Accounts() {
			if !a.Management && a.State == "ACTIVE" {
				ids = append(ids, a.ID)
			}
		}
		shut := func(id string) error {
			_, err := api.CloseAccount(ctx, &organizations.CloseAccountInput{AccountId: &id})
			return err
		}
		for _, id := range ids[:3] {
			if err := shut(id); err != nil {
				t.Fatal(err)
			}
		}
		if err := shut(ids[3]); code(err) != "ConstraintViolationException" {
			t.Error("a fourth at a time: ", err)
		}
		if err := shut(ids[0]); code(err) != "ConflictException" {
			t.Error("twice: ", err)
		}
		for n := 3; n < 10; n++ {
			time.Sleep(2 * time.Minute)
			if err := shut(ids[n]); err != nil {
				t.Fatal(n, err)
			}
		}
		time.Sleep(2 * time.Minute)
		if err := shut(ids[0]); code(err) != "AccountAlreadyClosedException" {
			t.Error("closed: ", err)
		}
		if err := shut(ids[10]); code(err) != "ConstraintViolationException" {
			t.Error("an eleventh in a month: ", err)
		}
		time.Sleep(31 * 24 * time.Hour)
		if err := shut(ids[10]); err != nil {
			t.Error("a month later: ", err)
		}
		for _, a := range s.Accounts() {
			if a.ID == ids[0] && a.State != "SUSPENDED" {
				t.Error(a.State)
			}
		}
	})
}
