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

// Filter values: * is any text, / included, ? one character or none, a backslash takes
// their meaning; case counts (EC2 user guide, "Filtering").
func TestFilterValues(t *testing.T) {
	for _, c := range []struct {
		pattern, have string
		want          bool
	}{
		{"app", "app", true}, {"App", "app", false}, {"app", "apps", false}, {"", "", true}, {"*", "", true}, {"?", "", true}, {"?", "ab", false},
		{"ELB app/*", "ELB app/web/50dc6c495c0c9188", true}, {"*web*", "ELB app/web/1", true}, {"a?p", "ap", true}, {"a?p", "app", true}, {"a?p", "axyp", false},
		{`\*amazon\?\\`, `*amazon?\`, true}, {`\*`, "x", false}, {"[a]", "a", false}, {"[a]", "[a]", true}, {"a**b", "ab", true}, {`a\`, `a\`, true},
	} {
		if got := filterFits(c.pattern, c.have); got != c.want {
			t.Errorf("%q against %q: %v", c.pattern, c.have, got)
		}
	}
}

func FuzzFilterValues(f *testing.F) {
	f.Add("a*b?", "axb")
	f.Fuzz(func(t *testing.T, pattern, have string) {
		escaped := strings.NewReplacer(`\`, `\\`, "*", `\*`, "?", `\?`).Replace(have)
		if !filterFits(escaped, have) || !filterFits("*", have) || !filterFits(escaped+"*", have+pattern) {
			t.Errorf("%q does not match itself", have)
		}
		filterFits(pattern, have)
	})
}

// What EC2 refuses before it looks at anything, in its words where they are known.
func TestRefusalsOfEC2(t *testing.T) {
	s := New(Options{Empty: true})
	r := s.world.accounts[s.world.management].region("us-east-1")
	group := sortedKeys(r.groups)[0]
	rule := "&IpPermissions.1.IpProtocol=tcp&IpPermissions.1.FromPort=22&IpPermissions.1.ToPort=22&IpPermissions.1.IpRanges.1.CidrIp=192.0.2.0%2F24"
	for form, want := range map[string]string{
		"Action=DescribeVpcs&MaxResults=4":                                                                              "InvalidParameterValue</Code><Message>Value ( 4 ) for parameter maxResults is invalid. Expecting a value greater than 5.",
		"Action=DescribeVpcs&MaxResults=many":                                                                           "InvalidParameterValue",
		"Action=DescribeSecurityGroupRules&Filter.1.Name=group-name&Filter.1.Value.1=x":                                 "The filter &#39;group-name&#39; is invalid",
		"Action=DescribeNetworkInterfaces&NetworkInterfaceId.1=eni-1&NetworkInterfaceId.2=eni-2":                        "The networkInterface IDs &#39;eni-1, eni-2&#39; do not exist",
		"Action=DescribeNetworkInterfaces&NetworkInterfaceId.1=x":                                                       "Invalid id: &#34;x&#34; (expecting &#34;eni-...&#34;)",
		"Action=AuthorizeSecurityGroupEgress&GroupName=app" + rule:                                                      "The request must contain the parameter groupId",
		"Action=AuthorizeSecurityGroupIngress&GroupId=" + group + rule + "&TagSpecification.1.ResourceType=vpc":         "is not a valid taggable resource type for this operation.",
		"Action=AuthorizeSecurityGroupIngress&GroupId=" + group + strings.ReplaceAll(rule, "ToPort=22", "ToPort=21"):    "InvalidParameterValue",
		"Action=RevokeSecurityGroupIngress&GroupId=" + group + rule + "&SecurityGroupRuleId.1=sgr-00000000000000000":    "InvalidParameterCombination",
		"Action=AuthorizeSecurityGroupIngress&GroupId=" + group + rule + "&DryRun=true":                                 "DryRunOperation",
		"Action=AuthorizeSecurityGroupIngress&GroupId=" + group + rule + strings.ReplaceAll(rule, "sions.1", "sions.2"): "The same permission must not appear multiple times",
	} {
		if status, body := post(t, s, form+"&Version=2016-11-15"); status < 400 || !strings.Contains(body, want) {
			t.Errorf("%s: %d %s, want %s", form, status, body, want)
		}
	}
	if _, body := post(t, s, "Action=AuthorizeSecurityGroupIngress&Version=2016-11-15&GroupId="+group+rule); !strings.Contains(body, "<return>true</return>") {
		t.Error(body)
	}
	if _, body := post(t, s, "Action=AuthorizeSecurityGroupIngress&Version=2016-11-15&GroupId="+group+rule); !strings.Contains(body, "the specified rule &#34;peer: 192.0.2.0/24, TCP, from port: 22, to port: 22, ALLOW&#34; already exists") {
		t.Error(body)
	}
}
