package simaws

import (
	"strings"
	"testing"
	"testing/synctest"
)

// TestConfigResources holds CloudFormation's behaviour to AWS's words.
func TestConfigResources(t *testing.T) {
	type properties = map[string]any
	channel := properties{"Name": "rollout", "S3BucketName": testBucket}
	rule := properties{"ConfigRuleName": testRule, "Source": properties{"Owner": "AWS", "SourceIdentifier": "VPC_DEFAULT_SECURITY_GROUP_CLOSED"}}
	remediation := func(change properties) properties {
		p := properties{"ConfigRuleName": testRule, "TargetType": "SSM_DOCUMENT", "TargetId": closeDefaultGroup, "Automatic": "true",
			"Parameters": properties{
				"AutomationAssumeRole": properties{"StaticValue": properties{"Values": []any{"arn:aws:iam::111122223333:role/x"}}},
				"GroupId":              properties{"ResourceValue": properties{"Value": "RESOURCE_ID"}},
			}}
		for k, v := range change {
			if p[k] = v; v == nil {
				delete(p, k)
			}
		}
		return p
	}
	recorded := func(p *place) { p.recording() }
	ruled := func(p *place) { p.recording(); p.rule() }
	for _, tt := range []struct {
		name    string
		prepare func(p *place)
		kind    string
		give    func(p *place) properties
		want    string // "" for success
	}{
		{"recorder there already", func(p *place) { p.r.recorder = &configRecorder{Name: "default"} }, "ConfigurationRecorder", (*place).recorderProperties,
			"Failed to put configuration recorder 'rollout' because the maximum number of configuration recorders: 1 is reached. (Service: AmazonConfig; Status Code: 400; Error Code: MaxNumberOfConfigurationRecordersExceededException; Request ID: "},
		{"recorder of that name is taken over", func(p *place) { p.r.recorder = &configRecorder{Name: "rollout"} }, "ConfigurationRecorder", (*place).recorderProperties, ""},
		{"recorder without role", nil, "ConfigurationRecorder", func(*place) properties { return properties{"Name": "x"} }, "#: required key [RoleARN] not found"},
		{"channel there already", func(p *place) { p.recording(); p.r.channel.Name = "default" }, "DeliveryChannel", func(*place) properties { return channel },
			"Failed to put delivery channel 'rollout' because the maximum number of delivery channels: 1 is reached."},
		{"channel before recorder", nil, "DeliveryChannel", func(*place) properties { return channel }, ""},
		{"no bucket", nil, "DeliveryChannel", func(*place) properties { return properties{"S3BucketName": "absent"} }, "NoSuchBucketException"},
		{"bucket of another account's policy", func(p *place) {
			p.a.buckets[testBucket].Policy.Statement[1].Conditions["StringEquals"]["aws:SourceAccount"] = []string{"999999999999"}
		},
			"DeliveryChannel", func(*place) properties { return channel }, "Insufficient delivery policy to s3 bucket: " + testBucket + ", unable to write to bucket, provided s3 key prefix is 'null', provided kms key is 'null'."},
		{"bucket without policy", func(p *place) { p.a.buckets[testBucket].HasPolicy = false }, "DeliveryChannel", func(*place) properties { return channel }, "unable to get s3 bucket acl"},
		{"prefix that the policy does not have", nil, "DeliveryChannel", func(*place) properties { return properties{"S3BucketName": testBucket, "S3KeyPrefix": "elsewhere"} }, "provided s3 key prefix is 'elsewhere'"},
		{"no service-linked role", func(p *place) {
			p.must("create", "ConfigurationRecorder", "R", "", p.recorderProperties())
			delete(p.a.roles, "AWSServiceRoleForConfig")
		}, "DeliveryChannel", func(*place) properties { return channel }, "unable to assume role: arn:aws:iam::111122223333:role/aws-service-role/config.amazonaws.com/AWSServiceRoleForConfig"},
		{"rule without recorder", nil, "ConfigRule", func(*place) properties { return rule }, "NoAvailableConfigurationRecorderException"},
		{"rule denied by a policy", func(p *place) { p.recording(); p.s.guard(p.a.ID, []string{"config:PutConfigRule"}, nil) }, "ConfigRule", func(*place) properties { return rule },
			"is not authorized to perform: config:PutConfigRule on resource: arn:aws:config:eu-west-1:111122223333:* with an explicit deny in a service control policy"},
		{"rule", recorded, "ConfigRule", func(*place) properties { return rule }, ""},
		{"rule there already", ruled, "ConfigRule", func(*place) properties { return rule }, testRule + " already exists."},
		{"no such managed rule", recorded, "ConfigRule", func(*place) properties {
			return properties{"Source": properties{"Owner": "AWS", "SourceIdentifier": "NO_SUCH"}}
		}, "The sourceIdentifier NO_SUCH is invalid."},
		{"unknown property", recorded, "ConfigRule", func(*place) properties { return properties{"Source": properties{}, "Nmae": "x"} }, "#: extraneous key [Nmae] is not permitted"},
		{"remediation without rule", recorded, "RemediationConfiguration", func(*place) properties { return remediation(nil) }, "NoSuchConfigRuleException"},
		{"remediation", ruled, "RemediationConfiguration", func(*place) properties { return remediation(nil) }, ""},
		{"remediation without role", ruled, "RemediationConfiguration", func(*place) properties { return remediation(properties{"Parameters": properties{}}) }, "AutomationAssumeRole"},
		{"remediation of a service-linked rule", func(p *place) { p.recording(); p.rule().CreatedBy = "securityhub.amazonaws.com" }, "RemediationConfiguration", func(*place) properties { return remediation(nil) }, "InsufficientPermissionsException"},
		{"no such document", ruled, "RemediationConfiguration", func(*place) properties { return remediation(properties{"TargetId": "absent"}) }, "The SSM document absent does not exist"},
		{"no such version", ruled, "RemediationConfiguration", func(*place) properties { return remediation(properties{"TargetVersion": "2"}) }, "has no version 2"},
		{"too many attempts", ruled, "RemediationConfiguration", func(*place) properties { return remediation(properties{"MaximumAutomaticAttempts": "26"}) }, "Member must have value between 1 and 25"},
		{"both values", ruled, "RemediationConfiguration", func(*place) properties {
			return remediation(properties{"Parameters": properties{"X": properties{"StaticValue": properties{"Values": []any{"a"}}, "ResourceValue": properties{"Value": "RESOURCE_ID"}}}})
		}, "There were invalid RemediationParameterValues"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := newPlace(t)
				if tt.prepare != nil {
					tt.prepare(p)
				}
				out, err := p.resource("create", tt.kind, "Thing", "", tt.give(p))
				switch {
				case tt.want == "" && (err != nil || out.PhysicalID == ""):
					t.Errorf("%+v, %v", out, err)
				case tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want)):
					t.Errorf("error %v, want %s", err, tt.want)
				}
			})
		})
	}
}

// TestEitherOrder: whichever of recorder and channel comes first, recording
// starts when the other is there, and an aborted pair leaves nothing.
func TestEitherOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPlace(t)
		p.must("create", "DeliveryChannel", "Channel", "", map[string]any{"Name": "rollout", "S3BucketName": testBucket})
		role := p.a.roles["AWSServiceRoleForConfig"]
		delete(p.a.roles, "AWSServiceRoleForConfig")
		give := map[string]any{"Name": "rollout", "RoleARN": role.ARN}
		if _, err := p.resource("create", "ConfigurationRecorder", "Recorder", "", give); err == nil || p.r.recorder != nil {
			t.Errorf("without the role: %v, left %+v", err, p.r.recorder)
		}
		p.a.roles["AWSServiceRoleForConfig"] = role
		p.must("create", "ConfigurationRecorder", "Recorder", "", give)
		if !p.r.recorder.Recording {
			t.Error("not recording")
		}
		p.must("update", "ConfigurationRecorder", "Recorder", "rollout", map[string]any{"RoleARN": role.ARN, "RecordingGroup": map[string]any{"AllSupported": false, "ResourceTypes": []any{typeSecurityGroup}}})
		if !p.r.recorder.Recording || p.r.recorder.AllSupported || !p.r.recorder.records(typeSecurityGroup) {
			t.Errorf("after an update: %+v", p.r.recorder)
		}
		refuse(t, "Member must satisfy enum value set", func() error {
			_, err := p.resource("update", "ConfigurationRecorder", "Recorder", "rollout", map[string]any{"RoleARN": role.ARN, "RecordingGroup": map[string]any{"ResourceTypes": []any{"AWS::EC2::SecurityGroups"}}})
			return err
		})
		p.must("delete", "ConfigurationRecorder", "Recorder", "rollout", nil)
		p.must("delete", "DeliveryChannel", "Channel", "rollout", nil)
		p.must("delete", "DeliveryChannel", "Channel", "rollout", nil) // twice is no error
	})
}

// TestAggregationResources: what CloudFormation makes is what the calls show.
func TestAggregationResources(t *testing.T) {
	type properties = map[string]any
	p := newPlace(t)
	authorization := properties{"AuthorizedAccountId": "999999999999", "AuthorizedAwsRegion": testRegion}
	made := p.must("create", "AggregationAuthorization", "A", "", authorization)
	if made.PhysicalID != "999999999999|"+testRegion || made.Attributes["AggregationAuthorizationArn"] != "arn:aws:config:eu-west-1:111122223333:aggregation-authorization/999999999999/eu-west-1" {
		t.Errorf("%+v", made)
	}
	refuse(t, "already exists", func() error {
		_, err := p.resource("create", "AggregationAuthorization", "A", "", authorization)
		return err
	})
	refuse(t, "#: required key [AuthorizedAwsRegion] not found", func() error {
		_, err := p.resource("create", "AggregationAuthorization", "A", "", properties{"AuthorizedAccountId": "999999999999"})
		return err
	})
	p.must("delete", "AggregationAuthorization", "A", made.PhysicalID, authorization)
	if len(p.r.config.authorizations) != 0 {
		t.Error("the authorization is still there")
	}

	sources := func(all string) properties {
		return properties{"AccountAggregationSources": []any{properties{"AccountIds": []any{testAccount}, "AllAwsRegions": all}}}
	}
	aggregator := p.must("create", "ConfigurationAggregator", "G", "", sources("true"))
	agg := p.r.config.aggregators[aggregator.PhysicalID]
	if agg == nil || !agg.Accounts.AllAwsRegions || aggregator.Attributes["ConfigurationAggregatorArn"] != agg.ARN {
		t.Fatalf("%+v", aggregator)
	}
	refuse(t, "Error Code: InvalidParameterValueException", func() error {
		_, err := p.resource("update", "ConfigurationAggregator", "G", aggregator.PhysicalID, sources("false"))
		return err
	})
	p.must("delete", "ConfigurationAggregator", "G", aggregator.PhysicalID, nil)
	if len(p.r.config.aggregators) != 0 {
		t.Error("the aggregator is still there")
	}
}
