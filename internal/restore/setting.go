package restore

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/configservice"

	"rollout/templates"
)

// Setting is a restore of something that is no security group: what one automation set,
// put back.
type Setting struct {
	Place
	Kind, Resource string // as the before-image has them
	Source         Source
	Where          string
	Taken          time.Time
	// Tried says of each source that did not give the image why not.
	Tried []Tried
	// Now and Before are the setting in words; Changes is what a restore does, a line
	// each, empty when there is nothing to do.
	Now, Before string
	Changes     []string
	// Public says in words what the changes open to the public; a restore of such a
	// thing has to be asked for by its name.
	Public []string

	// exempt sets the tag by which remediations leave the resource; nil where it is there
	// already, or where no tag can say so.
	exempt func(ctx context.Context, reason string) error
	do     func(ctx context.Context) error
	// look says how the setting is afterwards, in the words of Before.
	look func(ctx context.Context) (string, error)
}

// settingKind reads what a before-image of one kind says and what is there now.
type settingKind func(ctx context.Context, s *Setting, before templates.Before) error

// settingKinds by kind of before-image. What a kind's restore has taken again by
// itself (an automatic remediation without a tag to exempt) it refuses.
var settingKinds = map[string]settingKind{
	templates.BeforeEBSEncryption:     ebsEncryption,
	templates.BeforeFlowLogs:          flowLogs,
	templates.BeforePasswordPolicy:    passwordPolicy,
	templates.BeforeAccessKeys:        accessKeys,
	templates.BeforeMetadataOptions:   metadataOptions,
	templates.BeforeSnapshot:          snapshotShares,
	templates.BeforePublicAccessBlock: publicAccessBlock,
}

// DriftError is a setting that is neither what the remediation left nor what was before:
// somebody changed it since, and a restore would undo that too.
type DriftError struct{ Now, Left, Before string }

func (e *DriftError) Error() string {
	return fmt.Sprintf("somebody changed it since: it is %q now, the remediation left %q, and before it was %q; nothing was changed, set by hand what is meant", e.Now, e.Left, e.Before)
}

// FindSetting reads what a resource was like before a remediation and what it is now. It
// changes nothing. The error is a *NothingError when every source was asked in vain.
func FindSetting(ctx context.Context, p Place, r Request) (*Setting, error) {
	c := p.clients()
	s := &Setting{Place: p, Resource: r.Resource}
	for _, source := range SourcesOf(r.Resource) {
		if r.Source != "" && r.Source != source {
			continue
		}
		image, err := c.remember(ctx, p, source, r)
		if err != nil {
			if ctx.Err() != nil {
				return nil, ctx.Err()
			}
			s.Tried = append(s.Tried, Tried{source, reasonOf(err)})
			continue
		}
		s.Kind, s.Source, s.Where, s.Taken = image.before.KindOf(), source, image.where, image.taken
		kind := settingKinds[s.Kind]
		if kind == nil {
			return nil, fmt.Errorf("%s is of the kind %q, which this version cannot put back", s.Where, s.Kind)
		}
		if err := kind(ctx, s, image.before); err != nil {
			return nil, fmt.Errorf("%s of %s (%s): %w", s.Kind, s.Resource, s.Place, err)
		}
		return s, nil
	}
	return nil, &NothingError{p, r.Resource, s.Tried}
}

// Apply exempts the resource, puts the setting back and looks. reason is the value of
// the exempt tag, for whoever finds it. It says whether the tag was set.
func (s *Setting) Apply(ctx context.Context, reason string) (exempted bool, err error) {
	if len(s.Changes) == 0 {
		return false, nil
	}
	if s.exempt != nil {
		// First, or a remediation could take it again at once.
		if err := s.exempt(ctx, reason); err != nil {
			return false, fmt.Errorf("tag %s (%s) with %s: %w; nothing was put back", s.Resource, s.Place, exemptTag, err)
		}
		exempted = true
	}
	if err := settle(ctx, exempted, func() error { return s.do(ctx) }); err != nil {
		return exempted, fmt.Errorf("put %s of %s back (%s): %w", s.Kind, s.Resource, s.Place, err)
	}
	now := ""
	for try := range looks {
		if err := pause(ctx, try); err != nil {
			return exempted, err
		}
		if now, err = s.look(ctx); err != nil {
			return exempted, fmt.Errorf("look at %s of %s after it was put back (%s): %w", s.Kind, s.Resource, s.Place, err)
		}
		if now == s.Before {
			return exempted, nil
		}
	}
	return exempted, fmt.Errorf("%s of %s (%s) is %q after it was put back to %q: look at it, and run it again", s.Kind, s.Resource, s.Place, now, s.Before)
}

// firstExempt puts the tag before the other changes, in words.
func (s *Setting) firstExempt(name string) {
	s.Changes = append([]string{"tag " + name + " " + exemptTag + " first"}, s.Changes...)
}

// drifted is nil when the setting is what the remediation left.
func (s *Setting) drifted(left string) error {
	if s.Now == left {
		return nil
	}
	return &DriftError{s.Now, left, s.Before}
}

// disarmed refuses to put back what an automatic remediation of a rule would take again
// at once, where no tag can exempt it.
func (p Place) disarmed(ctx context.Context, rule string) error {
	out, err := configservice.NewFromConfig(p.Config(p.Region)).DescribeRemediationConfigurations(ctx, &configservice.DescribeRemediationConfigurationsInput{ConfigRuleNames: []string{rule}})
	if err != nil {
		return fmt.Errorf("see whether %s is enforced: %w", rule, err)
	}
	for _, r := range out.RemediationConfigurations {
		if r.Automatic {
			return fmt.Errorf("the rule %s is enforced automatically here and would take it again at once: rollout disarm first", rule)
		}
	}
	return nil
}

func onOff(on bool) string {
	if on {
		return "on"
	}
	return "off"
}

func listOf(list []string) string {
	if len(list) == 0 {
		return "none"
	}
	return strings.Join(list, ", ")
}

func stamp(t *time.Time) string { return aws.ToTime(t).UTC().Format(time.RFC3339) }
