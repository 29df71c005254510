package simaws

import (
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	accountapi "github.com/aws/aws-sdk-go-v2/service/account"
	"github.com/aws/aws-sdk-go-v2/service/configservice"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/organizations"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/smithy-go"
)

// sdk is a configuration whose calls go to the simulation without a socket.
// onTime signs by the simulation's clock, which some tests move on by themselves.
type onTime struct{ s *Sim }

func (c onTime) Do(r *http.Request) (*http.Response, error) {
	r.Header.Set("X-Amz-Date", c.s.opts.Now().UTC().Format(signatureTime))
	return c.s.Client().Do(r)
}

func sdk(s *Sim, region string) aws.Config {
	return aws.Config{
		Region: region, BaseEndpoint: aws.String("http://127.0.0.1"), HTTPClient: onTime{s},
		Credentials: credentials.NewStaticCredentialsProvider("AKIDEXAMPLE", "secret", ""), RetryMaxAttempts: 1,
	}
}

func code(err error) string {
	var api smithy.APIError
	if errors.As(err, &api) {
		return api.ErrorCode()
	}
	if err != nil {
		return err.Error()
	}
	return ""
}

func entered(t *testing.T, s *Sim, id, role, policy string) aws.Config {
	t.Helper()
	in := &sts.AssumeRoleInput{RoleArn: aws.String("arn:aws:iam::" + id + ":role/" + role), RoleSessionName: aws.String("test")}
	if policy != "" {
		in.Policy = aws.String(policy)
	}
	out, err := sts.NewFromConfig(sdk(s, "us-east-1")).AssumeRole(t.Context(), in)
	if err != nil {
		t.Fatal(err)
	}
	cfg := sdk(s, "us-east-1")
	cfg.Credentials = credentials.NewStaticCredentialsProvider(*out.Credentials.AccessKeyId, *out.Credentials.SecretAccessKey, *out.Credentials.SessionToken)
	return cfg
}

func TestOrganizationsAsTheSDKReadsIt(t *testing.T) {
	s := New(Options{})
	api := organizations.NewFromConfig(sdk(s, "eu-west-1"))
	o, err := api.DescribeOrganization(t.Context(), &organizations.DescribeOrganizationInput{})
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for p := organizations.NewListAccountsPaginator(api, &organizations.ListAccountsInput{}); p.HasMorePages(); {
		page, err := p.NextPage(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, a := range page.Accounts {
			n++
			if a.State == "" || len(a.Paths) != 1 || a.JoinedTimestamp.Year() < 2021 {
				t.Errorf("account %+v", a)
			}
		}
	}
	if n != 60 || s.Stats().Calls["organizations:ListAccounts"] != 3 {
		t.Errorf("%d accounts in %d calls", n, s.Stats().Calls["organizations:ListAccounts"])
	}
	roots, err := api.ListRoots(t.Context(), &organizations.ListRootsInput{})
	if err != nil || len(roots.Roots) != 1 {
		t.Fatal(roots, err)
	}
	_, err = api.ListOrganizationalUnitsForParent(t.Context(), &organizations.ListOrganizationalUnitsForParentInput{ParentId: aws.String("r-none")})
	if code(err) != "ParentNotFoundException" {
		t.Error(err)
	}
	if _, err = api.ListAccounts(t.Context(), &organizations.ListAccountsInput{MaxResults: aws.Int32(21)}); code(err) != "InvalidInputException" {
		t.Error(err)
	}
	member := organizations.NewFromConfig(entered(t, s, s.Accounts()[4].ID, "OrganizationAccountAccessRole", ""))
	if _, err = member.ListRoots(t.Context(), &organizations.ListRootsInput{}); code(err) != "AccessDeniedException" {
		t.Error(err)
	}
	if again, err := member.DescribeOrganization(t.Context(), &organizations.DescribeOrganizationInput{}); err != nil || *again.Organization.Id != *o.Organization.Id {
		t.Error(err)
	}
	none := organizations.NewFromConfig(sdk(New(Options{NoOrganization: true}), "us-east-1"))
	if _, err = none.DescribeOrganization(t.Context(), &organizations.DescribeOrganizationInput{}); code(err) != "AWSOrganizationsNotInUseException" {
		t.Error(err)
	}
}

// Of any size and seed the organization has the OUs and shares that it promises.
func TestGeneratedOrganizations(t *testing.T) {
	for _, o := range []Options{{}, {Accounts: 3}, {Accounts: 5}, {Accounts: 10}, {Accounts: 14}, {Accounts: 15}, {Accounts: 23, Seed: 7}, {Accounts: 500, Seed: 3}} {
		s := New(o)
		accounts := s.Accounts()
		want := o.Accounts
		if want == 0 {
			want = 60
		}
		workloads, suspended, enterable := 0, 0, 0
		ids := map[string]bool{}
		for _, a := range accounts {
			ids[a.ID] = true
			if len(a.OUPath) >= 9 && a.OUPath[:9] == "Workloads" {
				workloads++
			}
			if a.State == "SUSPENDED" {
				suspended++
			}
			if s.HasRole(a.ID, "OrganizationAccountAccessRole") {
				enterable++
			}
		}
		if len(accounts) != want || len(ids) != want || workloads*3 < want || suspended*50 < want || enterable*10 < want*8 && want > 20 {
			t.Errorf("%+v: %d accounts, %d ids, %d under Workloads, %d suspended, %d enterable", o, len(accounts), len(ids), workloads, suspended, enterable)
		}
		again := New(o).Accounts()
		for i := range accounts {
			if accounts[i] != again[i] {
				t.Fatalf("%+v: account %d differs the second time", o, i)
			}
		}
	}
}

func TestSessionPoliciesNarrow(t *testing.T) {
	s := New(Options{})
	id := s.Accounts()[4].ID
	cfg := entered(t, s, id, "OrganizationAccountAccessRole", `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":["config:DescribeConfigRules","iam:GetRole"],"Resource":"*"}}`)
	api := configservice.NewFromConfig(cfg)
	if _, err := api.DescribeConfigRules(t.Context(), &configservice.DescribeConfigRulesInput{}); err != nil {
		t.Error(err)
	}
	if _, err := api.DescribeConfigurationRecorders(t.Context(), &configservice.DescribeConfigurationRecordersInput{}); code(err) != "AccessDeniedException" {
		t.Error(err)
	}
	r, err := iam.NewFromConfig(cfg).GetRole(t.Context(), &iam.GetRoleInput{RoleName: aws.String("OrganizationAccountAccessRole")})
	if err != nil || *r.Role.RoleName != "OrganizationAccountAccessRole" {
		t.Error(err)
	}
	if _, err := iam.NewFromConfig(cfg).GetRole(t.Context(), &iam.GetRoleInput{RoleName: aws.String("none")}); code(err) != "NoSuchEntity" {
		t.Error(err)
	}
	who, err := sts.NewFromConfig(cfg).GetCallerIdentity(t.Context(), &sts.GetCallerIdentityInput{})
	if err != nil || *who.Account != id || *who.Arn != "arn:aws:sts::"+id+":assumed-role/OrganizationAccountAccessRole/test" {
		t.Error(who, err)
	}
	if _, err := sts.NewFromConfig(sdk(s, "us-east-1")).AssumeRole(t.Context(), &sts.AssumeRoleInput{RoleArn: aws.String("arn:aws:iam::" + id + ":role/none"), RoleSessionName: aws.String("test")}); code(err) != "AccessDenied" {
		t.Error(err)
	}
}

func TestRegionsThatAreOff(t *testing.T) {
	s := New(Options{})
	id := s.Accounts()[4].ID
	s.OptIn(id, "eu-south-1", false)
	regions, err := accountapi.NewFromConfig(sdk(s, "us-east-1")).ListRegions(t.Context(), &accountapi.ListRegionsInput{AccountId: aws.String(id), MaxResults: aws.Int32(50)})
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range regions.Regions {
		if *r.RegionName == "eu-south-1" && r.RegionOptStatus != "DISABLED" {
			t.Error(r.RegionOptStatus)
		}
	}
	cfg := entered(t, s, id, "OrganizationAccountAccessRole", "")
	cfg.Region = "eu-south-1"
	if _, err := configservice.NewFromConfig(cfg).DescribeConfigRules(t.Context(), &configservice.DescribeConfigRulesInput{}); code(err) != "UnrecognizedClientException" {
		t.Error(err)
	}
}

func TestHeadBucket(t *testing.T) {
	s := New(Options{})
	api := s3.NewFromConfig(sdk(s, "us-east-1"), func(o *s3.Options) { o.UsePathStyle = true })
	_, err := api.HeadBucket(t.Context(), &s3.HeadBucketInput{Bucket: aws.String("no-such-bucket")})
	var response interface{ HTTPStatusCode() int }
	if !errors.As(err, &response) || response.HTTPStatusCode() != http.StatusNotFound {
		t.Error(err)
	}
}

func TestThrottlingComesAndGoesInRealTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := New(Options{Throttle: true, Speed: 100})
		api := organizations.NewFromConfig(sdk(s, "us-east-1"))
		refused := 0
		for range 10 {
			if _, err := api.ListRoots(t.Context(), &organizations.ListRootsInput{}); code(err) == "TooManyRequestsException" {
				refused++
			}
		}
		if refused != 8 || s.Stats().Throttled != 8 {
			t.Errorf("%d of 10 refused", refused)
		}
	})
}

func FuzzRequests(f *testing.F) {
	f.Add("POST", "/", "config", "StarlingDoveService.DescribeConfigRules", `{"ConfigRuleNames":["a"]}`)
	f.Add("POST", "/", "organizations", "AWSOrganizationsV20161128.ListAccounts", `{"MaxResults":1}`)
	f.Add("POST", "/", "ec2", "", "Action=DescribeSecurityGroups&Filter.1.Name=group-id&Filter.1.Value.1=sg-1")
	f.Add("POST", "/", "sts", "", "Action=AssumeRole&RoleArn=x&Policy=%7B")
	f.Add("POST", "/", "cloudformation", "", "Action=CreateStackSet&StackSetName=a&TemplateBody=%7B%7D")
	f.Add("POST", "/listRegions", "account", "", "{}")
	f.Add("HEAD", "/bucket", "s3", "", "")
	s := New(Options{Accounts: 10})
	f.Fuzz(func(t *testing.T, method, path, service, target, body string) {
		r, err := http.NewRequest(method, "http://127.0.0.1/", nil)
		if err != nil {
			return
		}
		r.URL.Path = path
		r.Body = readCloser(body)
		r.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential=AKID/20261124/us-east-1/"+service+"/aws4_request, SignedHeaders=host, Signature=0")
		r.Header.Set("X-Amz-Target", target)
		response, err := s.Client().Do(r)
		if err != nil {
			t.Fatal(err)
		}
		if response.StatusCode == http.StatusInternalServerError {
			t.Fatalf("%s %s %q: %d", service, target, body, response.StatusCode)
		}
	})
}

func readCloser(body string) io.ReadCloser { return io.NopCloser(strings.NewReader(body)) }
