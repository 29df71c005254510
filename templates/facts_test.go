package templates

import (
	"os"
	"slices"
	"strings"
	"testing"
)

func TestFactsReadAsWritten(t *testing.T) {
	kinds := []string{"string", "int", "boolean", "double", "csv", "stringmap"}
	for id, r := range configRules() {
		if !r.onChange && !r.periodic {
			t.Errorf("%s never runs", id)
		}
		for _, p := range r.parameters {
			if !slices.Contains(kinds, p.kind) {
				t.Errorf("%s.%s is a %q", id, p.name, p.kind)
			}
		}
	}
	for _, template := range All() {
		for _, r := range template.Rules {
			if _, known := configRules()[r.Identifier]; r.Identifier != "" && !known {
				t.Errorf("%s has the rule %s", template.Name, r.Identifier)
			}
		}
	}
	// The simulator has a list of its own, from the same pages.
	theirs, err := os.ReadFile("../internal/simaws/config_identifiers.txt")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(theirs)) {
		id, kinds, _ := strings.Cut(strings.TrimSpace(line), "\t")
		ours, known := configRules()[id]
		if !known || ours.onChange != strings.Contains(kinds, "c") || ours.periodic != strings.Contains(kinds, "p") {
			t.Errorf("the simulator knows %s, run by %q", id, kinds)
		}
	}
}

// Operations by the names of boto3, with the IAM actions that are called otherwise.
func TestActionsOfScripts(t *testing.T) {
	for script, want := range map[string]string{
		`s3 = boto3.client("s3"); s3.put_object()`:                                 "s3:PutObject",
		`s3 = boto3.client('s3', region_name="x")` + "\ns3.put_bucket_encryption(": "s3:PutEncryptionConfiguration",
		`s3 = boto3.client("s3")` + "\ns3.head_bucket(":                            "s3:ListBucket",
		`s3 = boto3.client("s3")` + "\ns3.get_public_access_block(":                "s3:GetBucketPublicAccessBlock",
		`c = boto3.client("s3control")` + "\nc.put_public_access_block(":           "s3:PutAccountPublicAccessBlock",
		`s3 = boto3.client("s3")` + "\ns3.upload_file(":                            "s3:PutObject",
		`s3 = boto3.client("s3")` + "\ns3.copy_object(":                            "s3:PutObject s3:GetObject",
		`k = boto3.client("kms")` + "\nk.re_encrypt(":                              "kms:ReEncryptFrom kms:ReEncryptTo",
		`boto3.client("lambda").list_functions()`:                                  "lambda:ListFunctions",
		`boto3.client("lambda").invoke()`:                                          "lambda:InvokeFunction",
		`a = boto3.client("elbv2")` + "\na.describe_load_balancers(":               "elasticloadbalancing:DescribeLoadBalancers",
		`e = boto3.client("ec2")` + "\ne.get_paginator(\"describe_instances\")":    "ec2:DescribeInstances",
		`i = boto3.client("iam")` + "\ncall(i.list_mfa_devices)":                   "iam:ListMFADevices",
		`e = boto3.client("ec2")` + "\n# e.describe_instances()":                   "",
		`e = boto3.client("ec2")` + "\nprint(\"e.describe_instances()\")":          "",
		`e = boto3.client("ec2")` + "\nx.e.describe_instances()":                   "",
		`e = boto3.client("ec2")` + "\ne.exceptions.ClientError":                   "",
	} {
		calls, strange := scriptCalls(&node{text: script, value: script})
		var got []string
		for _, c := range calls {
			got = append(got, c.actions...)
		}
		if strings.Join(got, " ") != want || len(strange) > 0 {
			t.Errorf("%q: %v and %v, want %s", script, got, strange, want)
		}
	}
}

func TestStatementCovers(t *testing.T) {
	for pattern, want := range map[string]bool{
		"s3:PutObject": true, "s3:putobject": true, "s3:Put*": true, "s3:*": true, "*": true, "s3:PutObjec?": true, "*Object": true,
		"s3:PutObjectAcl": false, "s3:Put": false, "s3:Get*": false, "ec2:*": false, "s3:Put?bject?": false, "": false,
	} {
		if got := (statement{actions: []string{pattern}}).covers("s3:PutObject"); got != want {
			t.Errorf("%q covers s3:PutObject: %v", pattern, got)
		}
	}
	if (statement{notActions: []string{"s3:*"}}).covers("s3:PutObject") || !(statement{notActions: []string{"iam:*"}}).covers("s3:PutObject") {
		t.Error("NotAction")
	}
}
