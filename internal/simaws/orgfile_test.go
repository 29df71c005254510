package simaws

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
)

const exampleFile = "testdata/organization.yaml"

func TestOrganizationFile(t *testing.T) {
	text, err := os.ReadFile(exampleFile)
	if err != nil {
		t.Fatal(err)
	}
	o, err := ParseOrganization(exampleFile, text)
	if err != nil {
		t.Fatal(err)
	}
	s := New(Options{Organization: o})
	var got []string
	for _, a := range s.Accounts() {
		got = append(got, fmt.Sprint(a.Name, " ", a.OUPath, " ", a.State))
	}
	if want := []string{"management  ACTIVE", "audit Security ACTIVE", "payments-prod Workloads/Prod ACTIVE", "legacy Workloads/Prod SUSPENDED", "dev Workloads/Dev ACTIVE"}; !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
	w := s.world
	if w.orgID != "o-exampleorg1" || w.management != "111111111111" || w.stackSetsAccess != "ENABLED" || w.ous["ou-abcd-workloads"] == nil {
		t.Errorf("organization %s of %s, StackSets %s", w.orgID, w.management, w.stackSetsAccess)
	}
	if !slices.Equal(w.delegated["222222222222"], []string{"config.amazonaws.com"}) {
		t.Errorf("delegated %v", w.delegated)
	}
	prod := w.accounts["333333333333"]
	if prod.Tags["environment"] != "prod" || prod.Tags["owner"] != "" || w.accounts["222222222222"].Tags["owner"] != "platform" {
		t.Error("tags of an account take the place of the defaults")
	}
	if r := prod.regions["eu-west-1"].recorder; r.Name != "own" || r.Recording || !slices.Equal(r.ResourceTypes, []string{"AWS::S3::Bucket"}) {
		t.Errorf("recorder %+v", r)
	}
	dev := w.accounts[w.order[4]]
	if r := dev.region("us-west-2"); len(r.groups) != 1 || len(r.enis) != 1 || len(r.vpcs) != 1 {
		t.Errorf("%d groups, %d interfaces, %d VPCs; AWS makes one default VPC with one group", len(r.groups), len(r.enis), len(r.vpcs))
	}
	// What leans on the group is there in its Region and nowhere else.
	for region, want := range map[string]int{"us-east-1": 1, "eu-west-1": 1, "us-west-2": 0} {
		l := w.accounts["222222222222"].region(region).leanings()
		if len(l.templates)+len(l.clusters) != want {
			t.Errorf("%s: %d launch templates and %d clusters, want %d", region, len(l.templates), len(l.clusters), want)
		}
	}
	says := map[string]string{}
	for _, line := range s.Truth(nil) {
		says[line.AccountID+" "+line.Region] = line.Status
	}
	for where, want := range map[string]string{
		"333333333333 us-east-1": "COMPLIANT", "444444444444 us-east-1": "ACCOUNT_INACTIVE", "222222222222 us-east-1": "NOT_DEPLOYED",
		dev.ID + " ap-south-1": "REGION_DENIED", "222222222222 eu-south-1": "REGION_DISABLED", "111111111111 eu-south-1": "NOT_DEPLOYED",
	} {
		if says[where] != want {
			t.Errorf("%s: %s, want %s", where, says[where], want)
		}
	}
}

func TestOrganizationFileErrors(t *testing.T) {
	for text, want := range map[string]string{
		"management: {name: m}\nous: [{name: o, baseline: AWSControlTowerBaseline}]":                                                                                          "f:2:27: an OU is governed by a landing zone",
		"management: {name: m}\nlandingZone: {region: us-east-1, version: '3.3', audit: a}":                                                                                   "logArchive of the landing zone is missing",
		"management: {name: m}\naccounts: [{name: a}]\nlandingZone: {region: us-east-1, version: '3.3', audit: a, logArchive: b}":                                             "there is no account called b",
		"management: {name: m}\naccounts: [{name: a}]\nlandingZone: {region: us-east-1, version: new, audit: a, logArchive: a}":                                               "a landing zone's version",
		"management: {name: m}\naccounts: [{name: a}]\nlandingZone: {region: us-east-1, version: '3.3', config: false, audit: a, logArchive: a}":                              "can be left out since landing zone 4.0",
		"management: {name: m}\naccounts: [{name: a}]\nlandingZone: {region: us-east-1, version: '3.3', audit: a, logArchive: a}\nous: [{name: o, baseline: ConfigBaseline}]": "ConfigBaseline is of landing zone 4.0",
		"management: {name: m}\naggregator: {}":                                     "region of the aggregator is missing",
		"management: {name: m}\naggregator: {region: us-east-1, account: b}":        "f:2:42: there is no account called b",
		"management: {name: m}\naggregator: {region: us-east-1, name: 'a b'}":       "a name of letters",
		"management: {name: m}\naggregator: {region: us-east-1, regions: [moon-1]}": "write one of",
		"":                                      "f:1:1: the file is empty",
		"ous: []":                               "f:1:1: management is missing",
		"management: {name: m}\nou: []":         "f:2:1: there is no key ou in an organization; there are id, management",
		"management: {name: m}\nmanagement: {}": "f:2:1: management is given twice",
		"management: {name: m, id: 012345678901}":                                              "f:1:27: put the account's id in quotes",
		"management: {name: m, id: '1'}":                                                       "twelve digits",
		"management: {name: m}\naccounts: [{name: a, state: OPEN}]":                            "f:2:29: write one of ACTIVE, SUSPENDED",
		"management: {name: m, id: '111111111111'}\naccounts: [{name: a, id: '111111111111'}]": "f:2:26: 111111111111 is given twice",
		"management: {name: m}\ndefaults: {email: a@b.c}":                                      "not a default",
		"management: {name: m, optInRegions: [us-east-1]}":                                     "write one of af-south-1",
		"management: {name: m}\nous: [{name: A}, {name: A}]":                                   "A is given twice under one parent",
		"management: {name: m}\nous: [{name: 1, ous: [{name: 2, ous: [{name: 3, ous: [{name: 4, ous: [{name: 5, ous: [{name: 6}]}]}]}]}]}]": "five levels",
		"management: &m {name: m}\naccounts: [*m]": "an account is written as keys and values",
		"management: [":                                                                    "f: line 1",
		"management: {name: m}\n---\nid: x":                                                "one document a file",
		"management: {name: m, rules: [{region: us-east-1}]}":                              "a rule has region, name and identifier",
		"management: {name: m, quotas: [{region: us-east-1, code: L-EC62D81A}]}":           "a quota has region, code and value",
		"management: {name: m, quotas: [{region: us-east-1, code: L-1, value: 2}]}":        "write one of L-0485CB21",
		"management: {name: m, quotas: [{region: us-east-1, code: L-EC62D81A, value: 0}]}": "a number from 1 to 10000000",
		"management: {name: m, quotas: [{region: us-east-1, code: L-EC62D81A, value: 2}, {region: us-east-1, code: L-EC62D81A, value: 3}]}": "L-EC62D81A is given twice in us-east-1",
		"management: {name: m, defaultSecurityGroupUsers: [{region: us-east-1}]}":                                                           "a user of the group has region and kind",
		"management: {name: m, defaultSecurityGroupUsers: [{kind: function}]}":                                                              "region is missing",
		"management: {name: m, defaultSecurityGroupUsers: [{region: us-east-1, kind: volume}]}":                                             "write one of ecs-deployment, ecs-service,",
		"management: {name: m, defaultSecurityGroupUsers: [{region: us-east-1, kind: rule, name: '-'}]}":                                    "3 to 64 letters",
		"management: {name: m, defaultSecurityGroupUsers: [{region: us-east-1, kind: rule}, {region: us-east-1, kind: rule}]}":              "rule is given twice in us-east-1",
	} {
		if _, err := ParseOrganization("f", []byte(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v; want %q", text, err, want)
		}
	}
}

func FuzzParseOrganization(f *testing.F) {
	text, err := os.ReadFile(exampleFile)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(text)
	f.Add([]byte("management: {name: m}\nous: [{name: A, accounts: [{name: a}]}]"))
	f.Fuzz(func(t *testing.T, text []byte) {
		o, err := ParseOrganization("f", text)
		var at *OrganizationError
		if errors.As(err, &at) && (at.Line < 1 || at.Column < 1) {
			t.Errorf("%q: %v is nowhere", text, err)
		}
		if err != nil {
			return
		}
		if s := New(Options{Organization: o}); len(s.Accounts()) != o.Size() {
			t.Errorf("%q: %d accounts of %d", text, len(s.Accounts()), o.Size())
		}
	})
}

// The schema and the reader know the same keys.
func TestOrganizationSchema(t *testing.T) {
	text, err := os.ReadFile("../../docs/schemas/organization.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	type object struct {
		Properties           map[string]any
		AdditionalProperties *bool
	}
	var schema struct {
		object
		Defs map[string]object `json:"$defs"`
	}
	if err := json.Unmarshal(text, &schema); err != nil {
		t.Fatal(err)
	}
	schema.Defs["organization"] = schema.object
	for kind, keys := range organizationKeys {
		o := schema.Defs[kind]
		if kind == "user" {
			words, _ := o.Properties["kind"].(map[string]any)["enum"].([]any)
			if got := texts(words); !slices.Equal(got, Leaners()) {
				t.Errorf("kinds of users: %v, the reader knows %v", got, Leaners())
			}
		}
		want := slices.Sorted(slices.Values(keys))
		if !slices.Equal(sortedKeys(o.Properties), want) || o.AdditionalProperties == nil || *o.AdditionalProperties {
			t.Errorf("%s: %v, the reader knows %v and nothing else", kind, sortedKeys(o.Properties), want)
		}
	}
}
