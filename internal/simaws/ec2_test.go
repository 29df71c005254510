package simaws

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/organizations"
	"github.com/aws/aws-sdk-go-v2/service/sts"
)

// post sends an EC2 query as the management account and gives status and XML.
func post(t *testing.T, s *Sim, form string) (int, string) {
	t.Helper()
	r, err := http.NewRequest(http.MethodPost, "http://127.0.0.1/", strings.NewReader(form))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential=AKID/20261124/us-east-1/ec2/aws4_request, SignedHeaders=host, Signature=0")
	response, err := s.Client().Do(r)
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	buffer := make([]byte, 1<<20)
	n, _ := response.Body.Read(buffer)
	b.Write(buffer[:n])
	return response.StatusCode, b.String()
}

// Rules are revoked one by one, as EC2 does: a permission with two ranges keeps
// the other, a description makes no difference, and what is not there is an error
// outside a default VPC only.
func TestGroupRulesAreComparedOneByOne(t *testing.T) {
	s := New(Options{Empty: true})
	r := s.world.accounts[s.world.management].region("us-east-1")
	var group *securityGroup
	for _, id := range sortedKeys(r.groups) {
		if g := r.groups[id]; g.Name == "default" && g.VPC == r.vpcs[0].ID {
			group = g
		}
	}
	call := func(action, permission string) (int, string) {
		return post(t, s, "Action="+action+"&Version=2016-11-15&GroupId="+group.ID+permission)
	}
	tcp := "&IpPermissions.1.IpProtocol=tcp&IpPermissions.1.FromPort=22&IpPermissions.1.ToPort=22"
	one := tcp + "&IpPermissions.1.IpRanges.1.CidrIp=" + url.QueryEscape("10.0.0.0/8")
	two := one + "&IpPermissions.1.IpRanges.1.Description=office&IpPermissions.1.IpRanges.2.CidrIp=" + url.QueryEscape("192.168.0.0/16")
	own := "&IpPermissions.1.IpProtocol=-1&IpPermissions.1.Groups.1.GroupId=" + group.ID + "&IpPermissions.1.Groups.1.UserId=" + s.world.management
	for _, step := range []struct {
		action, permission, want string
		rules                    int
	}{
		{"RevokeSecurityGroupIngress", "", "MissingParameter", 0},
		{"AuthorizeSecurityGroupIngress", two, "<return>true</return>", 2},
		{"AuthorizeSecurityGroupIngress", one, "InvalidPermission.Duplicate", 2},
		{"AuthorizeSecurityGroupIngress", own, "<return>true</return>", 3},
		{"RevokeSecurityGroupIngress", one, "<return>true</return>", 2},
		{"RevokeSecurityGroupIngress", one, "<unknownIpPermissionSet><item>", 2},
		{"RevokeSecurityGroupIngress", "&IpPermissions.1.IpProtocol=-1&IpPermissions.1.Groups.1.GroupId=" + group.ID, "<return>true</return>", 1},
		{"RevokeSecurityGroupEgress", "&IpPermissions=x", "MissingParameter", 1},
	} {
		_, body := call(step.action, step.permission)
		rules := 0
		for _, p := range group.Ingress {
			eachRule(p, func(groupRule, map[string]any) { rules++ })
		}
		if !strings.Contains(body, step.want) || rules != step.rules {
			t.Errorf("%s %s: %d rules, %s", step.action, step.permission, rules, body)
		}
	}
	if _, body := post(t, s, "Action=RevokeSecurityGroupIngress&GroupId=sg-none"+one); !strings.Contains(body, "InvalidGroup.NotFound") {
		t.Error(body)
	}
	r.vpcs[0].Default = false
	if status, body := call("RevokeSecurityGroupIngress", one); status != http.StatusBadRequest || !strings.Contains(body, "InvalidPermission.NotFound") {
		t.Error(status, body)
	}
	_, first := post(t, s, "Action=DescribeSecurityGroupRules")
	_, again := post(t, s, "Action=DescribeSecurityGroupRules")
	cut := func(text string) string { _, after, _ := strings.Cut(text, "</requestId>"); return after }
	if cut(first) != cut(again) || !strings.Contains(first, "<cidrIpv4>192.168.0.0/16</cidrIpv4>") {
		t.Error(first)
	}
}

func TestListsMayBeginWithAnEmptyPage(t *testing.T) {
	s := New(Options{EmptyPages: true})
	n, pages := 0, 0
	for p := organizations.NewListAccountsPaginator(organizations.NewFromConfig(sdk(s, "us-east-1")), &organizations.ListAccountsInput{}); p.HasMorePages(); pages++ {
		page, err := p.NextPage(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		n += len(page.Accounts)
	}
	if n != 60 || pages != 4 {
		t.Errorf("%d accounts on %d pages", n, pages)
	}
}

func TestAnyAccessKeyIsTaken(t *testing.T) {
	cfg := sdk(New(Options{}), "us-east-1")
	cfg.Credentials = credentials.NewStaticCredentialsProvider("my_key-1", "x", "")
	if _, err := sts.NewFromConfig(cfg).GetCallerIdentity(t.Context(), &sts.GetCallerIdentityInput{}); err != nil {
		t.Error(err)
	}
}

func TestTrustedAccessIsEnabledByPrincipal(t *testing.T) {
	api := organizations.NewFromConfig(sdk(New(Options{}), "us-east-1"))
	for principal, want := range map[string]string{"guardduty.amazonaws.com": "", "stacksets.cloudformation.amazonaws.com": "InvalidInputException", "x": "InvalidInputException"} {
		if _, err := api.EnableAWSServiceAccess(t.Context(), &organizations.EnableAWSServiceAccessInput{ServicePrincipal: aws.String(principal)}); code(err) != want {
			t.Errorf("%s: %v", principal, err)
		}
	}
}
