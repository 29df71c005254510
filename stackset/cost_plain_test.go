package stackset

import (
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"
)

// What an update adds to a plain stack is counted by the body that the stack has.
func TestCostOfAnUpdateOfAPlainStack(t *testing.T) {
	inSim(t, 1, func(t *testing.T, s *site) {
		s.management()
		s.d.Templates, s.d.Regions, s.d.Prices = named(t, "restrict-ssh-rdp"), []string{home}, prices(t)
		s.apply(t.Context(), s.prepare())
		p := s.prepare()
		if len(p.Cost.Lines) > 0 || len(p.Cost.Lacking) > 0 {
			t.Errorf("of what is there: %s, %v", billed(p), p.Cost.Lacking)
		}
		set := ""
		for _, one := range p.Sets {
			if one.Template.Name == "restrict-ssh-rdp" {
				set = one.Name
			}
		}
		// An earlier version had a rule less.
		api := cloudformation.NewFromConfig(s.session.Own(home))
		older := func(body string) {
			t.Helper()
			_, err := api.UpdateStack(t.Context(), &cloudformation.UpdateStackInput{StackName: &set, TemplateBody: &body,
				Tags: []types.Tag{{Key: aws.String(TagTemplate), Value: aws.String("restrict-ssh-rdp")}, {Key: aws.String(TagSHA256), Value: aws.String("0")}}})
			if err != nil {
				t.Fatal(err)
			}
			time.Sleep(time.Hour)
		}
		template := named(t, "restrict-ssh-rdp")[0].Document()
		kept := template.ResourceOrder[0]
		older("Resources:\n  " + kept + ": {Type: AWS::SNS::Topic}\n")
		p = s.prepare()
		lines := strings.Split(billed(p), "\n")
		if len(lines) != len(template.ResourceOrder)-1 || len(p.Cost.Lacking) > 0 || !strings.HasPrefix(lines[0], "restrict-ssh-rdp: evaluations of rollout-") {
			t.Errorf("%s\nlacks %v", billed(p), p.Cost.Lacking)
		}
		// What is not known is said, and is not 0.
		for i := range p.Sets {
			one, there := p.Sets[i].Singles[Target{s.d.Management, home}]
			if there && p.Sets[i].Name == set {
				one.Deployed, one.BodyUnread = "", "AccessDenied: not you"
				p.Sets[i].Singles[one.Target] = one
			}
		}
		p.EstimateCost(nil)
		if got := strings.Join(p.Cost.Lacking, "; "); got != "what the update of the stack "+set+" adds in "+home+" of account "+s.d.Management+": its template could not be read (AccessDenied: not you)" || len(p.Cost.Lines) > 0 {
			t.Errorf("%s, lacks %q", billed(p), got)
		}
	})
}
