package simaws

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/configservice"
)

// A script changes the account's Block Public Access, and the rule sees it when it is run
// again.
func TestAccountPublicAccessBlock(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPlace(t)
		p.recording()
		client := p.sdk()
		if err := putManaged(t, client, "all", "S3_ACCOUNT_LEVEL_PUBLIC_ACCESS_BLOCKS_PERIODIC", "", ""); err != nil {
			t.Fatal(err)
		}
		if err := putManaged(t, client, "lists", "S3_ACCOUNT_LEVEL_PUBLIC_ACCESS_BLOCKS_PERIODIC", `{"BlockPublicPolicy":"False","RestrictPublicBuckets":"false"}`, ""); err != nil {
			t.Fatal(err)
		}
		p.pass(3 * time.Minute)
		anything := func(access) error { return nil }
		lists := map[string]any{"BlockPublicAcls": true, "IgnorePublicAcls": true}
		all := map[string]any{"BlockPublicAcls": true, "IgnorePublicAcls": true, "BlockPublicPolicy": true, "RestrictPublicBuckets": true}
		for _, step := range []struct {
			op, account       string
			block             map[string]any
			code, all, listed string
		}{
			{"GetPublicAccessBlock", testAccount, nil, "NoSuchPublicAccessBlockConfiguration", "NON_COMPLIANT", "NON_COMPLIANT"},
			{"PutPublicAccessBlock", "444455556666", all, "AccessDenied", "NON_COMPLIANT", "NON_COMPLIANT"},
			{"PutPublicAccessBlock", testAccount, lists, "", "NON_COMPLIANT", "COMPLIANT"},
			{"PutPublicAccessBlock", testAccount, all, "", "COMPLIANT", "COMPLIANT"},
			{"DeletePublicAccessBlock", testAccount, nil, "", "NON_COMPLIANT", "NON_COMPLIANT"},
		} {
			in := map[string]any{"AccountId": step.account}
			if step.block != nil {
				in["PublicAccessBlockConfiguration"] = step.block
			}
			_, err := p.s.apiDo(anything, p.a, p.r, "s3control", step.op, in)
			var refused *apiError
			if errors.As(err, &refused) != (step.code != "") || refused != nil && refused.Code != step.code {
				t.Errorf("%s: %v, want %q", step.op, err, step.code)
			}
			p.pass(2 * time.Minute)
			if _, err := client.StartConfigRulesEvaluation(context.Background(), &configservice.StartConfigRulesEvaluationInput{ConfigRuleNames: []string{"all", "lists"}}); err != nil {
				t.Fatal(err)
			}
			p.pass(time.Minute)
			if a, l := verdicts(t, client, "all")[testAccount], verdicts(t, client, "lists")[testAccount]; a != step.all || l != step.listed {
				t.Errorf("after %s: %s and %s, want %s and %s", step.op, a, l, step.all, step.listed)
			}
		}
	})
}
