package restore

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/google/go-cmp/cmp"
)

// The same four rules in the shape of EC2's API, of Config's items and of CloudTrail's events.
var shapes = map[string]string{
	"object": `[{"IpProtocol":"-1","UserIdGroupPairs":[{"GroupId":"sg-11112222","UserId":"111122223333"}],"IpRanges":[],"Ipv6Ranges":[],"PrefixListIds":[]},
		{"IpProtocol":"tcp","FromPort":22,"ToPort":22,"IpRanges":[{"CidrIp":"10.0.0.0/8","Description":"office"}],"Ipv6Ranges":[{"CidrIpv6":"::/0"}],"PrefixListIds":[{"PrefixListId":"pl-0123"}],"UserIdGroupPairs":[]}]`,
	"config": `[{"ipProtocol":"-1","userIdGroupPairs":[{"groupId":"sg-11112222","userId":"111122223333"}],"ipv4Ranges":[],"ipRanges":[],"ipv6Ranges":[],"prefixListIds":[]},
		{"ipProtocol":"tcp","fromPort":22,"toPort":22,"ipv4Ranges":[{"cidrIp":"10.0.0.0/8","description":"office"}],"ipRanges":["10.0.0.0/8"],"ipv6Ranges":[{"cidrIpv6":"::/0"}],"prefixListIds":[{"prefixListId":"pl-0123"}],"userIdGroupPairs":[]}]`,
	"cloudtrail": `[{"ipProtocol":"-1","groups":{"items":[{"groupId":"sg-11112222","userId":"111122223333"}]},"ipRanges":{},"ipv6Ranges":{},"prefixListIds":{}},
		{"ipProtocol":"tcp","fromPort":22,"toPort":22,"groups":{},"ipRanges":{"items":[{"cidrIp":"10.0.0.0/8","description":"office"}]},"ipv6Ranges":{"items":[{"cidrIpv6":"::/0"}]},"prefixListIds":{"items":[{"prefixListId":"pl-0123"}]}}]`,
}

func decodeAll(text string) ([]Rule, error) {
	var list []json.RawMessage
	if err := json.Unmarshal([]byte(text), &list); err != nil {
		return nil, err
	}
	return decodeRules(list, false)
}

func TestShapesOfRules(t *testing.T) {
	want := "all all sg-11112222 111122223333 |tcp 22 10.0.0.0/8  office|tcp 22 ::/0  |tcp 22 pl-0123  "
	for name, text := range shapes {
		rules, err := decodeAll(text)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		var words []string
		for _, r := range rules {
			words = append(words, fmt.Sprint(r.ProtocolName(), " ", r.Ports(), " ", r.Peer, " ", r.Owner, " ", r.Description))
		}
		if diff := cmp.Diff(want, strings.Join(words, "|")); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
		// What is read goes to EC2 and comes back the same.
		for _, r := range rules {
			p := r.permission()
			back := rulesOf([]types.IpPermission{p}, r.Egress)
			if len(back) != 1 || back[0].key() != r.key() || back[0].Description != r.Description {
				t.Errorf("%s: %+v comes back as %+v", name, r, back)
			}
		}
	}
}

// What cannot be read is an error, never a group with fewer rules than it had.
func TestUnreadableRules(t *testing.T) {
	for text, want := range map[string]string{
		`[{"FromPort":1}]`:                               "no protocol",
		`[{"IpProtocol":"tcp"}]`:                         "names nobody",
		`[{"IpProtocol":"tcp","IpRanges":"10.0.0.0/8"}]`: "cannot be read",
		`[7]`: "cannot be read",
	} {
		if rules, err := decodeAll(text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %+v, %v", text, rules, err)
		}
	}
}

func TestCompare(t *testing.T) {
	a, b := Rule{Protocol: "tcp", Peer: "10.0.0.0/8", Description: "x"}, Rule{Protocol: "udp", Peer: "10.0.0.0/8"}
	same := a
	same.Description = "other words"
	missing, present := compare([]Rule{b, a, a}, []Rule{same})
	if len(missing) != 1 || missing[0] != b || len(present) != 1 || present[0] != a {
		t.Errorf("missing %+v, present %+v", missing, present)
	}
}

func FuzzDecodeRules(f *testing.F) {
	for _, text := range shapes {
		f.Add(text)
	}
	f.Add(`[{"IpProtocol":"tcp","IpRanges":null}]`)
	f.Fuzz(func(t *testing.T, text string) {
		rules, err := decodeAll(text)
		for _, r := range rules {
			if err == nil && (r.Protocol == "" || r.Peer == "" || r.Kind == "") {
				t.Errorf("%q gives %+v", text, r)
			}
		}
	})
}
