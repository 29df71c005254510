package stackset

import (
	"cmp"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/configservice/types"

	"rollout/internal/awsapi"
	"rollout/orgs"
)

// Facts are what preflight read. Whatever could not be read is kept as a Gap.
type Facts struct {
	// Policies are the organization's service control policies, nil when they could
	// not be read.
	Policies *orgs.Policies
	// Governance is what Control Tower governs, nil without a landing zone and where it
	// could not be read; GovernanceUnread says what was answered then.
	Governance       *orgs.Governance
	GovernanceUnread string
	// TagsUnread are accounts that look as if their recorder had been taken out by
	// rollout release, and whose tags could not be read.
	TagsUnread []TagGap
	// Overrides are those of the instances whose verdict hangs on them.
	Overrides map[key]GivenOverrides
	// Refused is why StackSets shows no set, nil where it does.
	Refused *NotDelegatedError
	// StackLimits are how many stacks accounts can have that have many already.
	StackLimits map[Target]StackLimit
	// Quotas are those of the account that the sets live in, nil where nobody asked.
	Quotas *Quotas
	// LeftOut says that nobody looked into the accounts.
	LeftOut bool
	// OptIn are the Regions that an account has to switch on.
	OptIn map[string]bool
	// Accounts by id: the chosen accounts that are ACTIVE and can hold stack
	// instances.
	Accounts map[string]*AccountFacts
	// Aggregate is what an aggregator of AWS Config said, nil without one.
	Aggregate *Aggregate
	// Off are the Regions that are off in accounts out of which instances are pruned.
	Off map[string]map[string]bool
}

// AccountFacts are what one account has.
type AccountFacts struct {
	AccountID string
	// Role is the role that was assumed, "" for the caller's own credentials or
	// when the account could not be entered.
	Role string
	// Gap says why the account could not be entered.
	Gap Gap
	// ConfigRole and RemediationRole are AWSServiceRoleForConfig and
	// AWSServiceRoleForConfigRemediation.
	ConfigRole, RemediationRole Presence
	// Bucket is the delivery bucket that recording-base makes.
	BucketName string
	Bucket     Presence
	// BucketGap says what was answered when neither its presence nor its absence
	// could be seen: it may be somebody else's.
	BucketGap Gap
	// Released says for what the account's recorder was taken out by rollout release, ""
	// where it was not, or nobody asked.
	Released string
	// Kept are the buckets that templates of the run leave behind, by template name.
	Kept map[string]KeptBucket
	// Names are those that templates of the run want, as far as no stack instance made
	// them.
	Names map[NameKey]NameFact
	// Regions by name.
	Regions map[string]*RegionFacts
}

// KeptBucket is a bucket that outlives its template's stack.
type KeptBucket struct {
	Name     string
	Presence Presence
	// Gap says what was answered when neither presence nor absence could be seen.
	Gap Gap
}

// Presence says whether something is there. The zero value is not known.
type Presence int

const (
	Unknown Presence = iota
	Absent
	Present
)

// RegionFacts are what one account has in one Region.
type RegionFacts struct {
	// Off says that the Region is not switched on in the account.
	Off bool
	// Gap says why the Region could not be read. Class ClassPolicyDenied is a
	// service control policy that denies it, ClassRegionOff the same as Off.
	Gap Gap
	// Recorder is the customer-managed configuration recorder, nil when there is
	// none. A service-linked recorder does not count.
	Recorder *Recorder
	// Services are the service-linked recorders, by name.
	Services map[string]string
	// Channel is the name of the delivery channel, "" when there is none, and where there
	// is a recorder and nobody asked (PreflightInput.Channels).
	Channel string
	// Rules are the rules of interest: those of our names and equal ones.
	Rules []RuleFact
	// RuleCount counts all Config rules.
	RuleCount int
}

// Gap says why something could not be read. The zero value is no gap.
type Gap struct {
	Class awsapi.Class
	Text  string // what AWS said, in one line; never empty in a gap
}

// notLooked is the gap of an account that nobody looked into.
var notLooked = Gap{Text: "nobody looked into the account, since preflight was left out"}

// closed is the verdict where a Gap keeps what an account has from being known.
func (f *AccountFacts) closed() verdict {
	if f.Gap == notLooked {
		return skip("recorder-unread", "%s", f.Gap.Text)
	}
	return skip("recorder-unread", "the account cannot be entered: %s", f.Gap.Text)
}

// Is says whether there is a gap.
func (g Gap) Is() bool { return g.Text != "" }

func gapOf(err error) Gap {
	if err == nil {
		return Gap{}
	}
	return Gap{Class: awsapi.Classify(err), Text: sentence(awsapi.Text(err))}
}

// Recorder is a customer-managed configuration recorder.
type Recorder struct {
	Name      string
	Recording bool
	Group     RecordingGroup
}

// serviceLinkedRecorder is the prefix of the names of recorders that belong to an
// AWS service; they do not count against the one that a customer may have
// (Config developer guide, "Considerations for service-linked configuration recorders").
const serviceLinkedRecorder = "AWSConfigurationRecorder"

// recordersOf picks the customer-managed recorder, nil when there is none, and the
// service-linked ones with the services that they belong to.
func recordersOf(list []types.ConfigurationRecorder) (customer *Recorder, services map[string]string) {
	for _, c := range list {
		name, principal := aws.ToString(c.Name), aws.ToString(c.ServicePrincipal)
		switch {
		case principal != "" || strings.HasPrefix(name, serviceLinkedRecorder):
			if services == nil {
				services = map[string]string{}
			}
			services[name] = cmp.Or(principal, "a service that it does not name")
		case customer == nil:
			customer = &Recorder{Name: name, Group: RecordingGroup{c.RecordingGroup}}
		}
	}
	return customer, services
}
