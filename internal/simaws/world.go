package simaws

import (
	"slices"
	"time"
)

// world is the simulated organization: what AWS would remember. Everything in
// it is guarded by Sim.mu.
type world struct {
	orgID      string
	rootID     string
	partition  string // "aws"
	management string // account id
	features   string // ALL
	// policyTypes are those enabled in the root.
	policyTypes []string
	// pendingTypes are those being switched on or off: PENDING_ENABLE, PENDING_DISABLE.
	pendingTypes map[string]string
	policies     policyBook

	accounts map[string]*account
	order    []string // account ids in ListAccounts order
	ous      map[string]*orgUnit
	ouOrder  []string

	// trustedServices are the service principals with trusted access;
	// stackSetsAccess is StackSets' own switch (ENABLED, DISABLED).
	trustedServices map[string]time.Time
	stackSetsAccess string
	// delegated maps an account id to the service principals it administers;
	// delegatedAt has since when ("id principal"), unless since it joined.
	delegated   map[string][]string
	delegatedAt map[string]time.Time
	rootTags    map[string]string
	// departed are the accounts that have left the organization.
	departed        map[string]*account
	accountRequests []*accountRequest
	closures        []time.Time // of CloseAccount

	// globalBuckets are S3's names in the global namespace: name → owner.
	globalBuckets map[string]*bucket

	// stackSets are kept by owner's home: "<region>/<name>" of the management
	// account (service-managed sets of a delegated administrator live there
	// too); see cfn_stackset.go.
	stackSets map[string]*stackSet
	// atWork is what StackSets works on by Region of the sets.
	atWork map[string]*workload

	// landing is Control Tower's landing zone, nil without one.
	landing *landingZone

	// config says how AWS Config behaves where its documentation is silent.
	config configSettings

	// enabledRegions are the Regions that are on by default, optInRegions the
	// ones an account has to switch on. Sorted.
	enabledRegions []string
	optInRegions   []string
}

type orgUnit struct {
	ID, Name, ParentID string
	Tags               map[string]string
}

type account struct {
	ID, Name, Email string
	State           string // Organizations' State: ACTIVE, SUSPENDED, …
	ParentID        string // root or OU id
	JoinedMethod    string // INVITED, CREATED
	Joined          time.Time
	Tags            map[string]string

	// optedIn holds the opt-in Regions that are on.
	optedIn map[string]bool
	// quotas are those that AWS has set to another value than its default.
	quotas map[quotaAt]int
	// switching are the Regions that are being switched: ENABLING, DISABLING.
	switching map[string]string

	roles map[string]*iamRole // by role name
	// managed are the account's own managed policies, by ARN.
	managed map[string]policyDocument
	// linkedTasks are the deletions of service-linked roles, by id.
	linkedTasks map[string]*linkedTask
	buckets     map[string]*bucket // by full name; account-regional ones too
	regions     map[string]*regionState
	quirk       quirk
	// lived says that it is a generated account with a history, base what it has as such;
	// baseline makes that when it is first looked at.
	lived bool
	base  *baseline
	// populate makes what the account has in a Region.
	populate func(*regionState)
}

// region gives the account's state in a Region, making it on first use.
func (a *account) region(name string) *regionState {
	r := a.regions[name]
	if r == nil {
		r = &regionState{
			account: a.ID, name: name,
			rules:     map[string]*configRule{},
			groups:    map[string]*securityGroup{},
			documents: map[string]*ssmDocument{},
			stacks:    map[string]*stack{},
		}
		a.regions[name] = r
		if a.populate != nil {
			a.populate(r)
		}
	}
	return r
}

type iamRole struct {
	Name, Path, ID, ARN string
	Description         string
	Created             time.Time
	Trust               policyDocument
	Policies            map[string]policyDocument // inline, by policy name
	Managed             []string                  // managed policy ARNs (AdministratorAccess, ReadOnlyAccess, SecurityAudit are understood)
	ServiceName         string                    // of a service-linked role
	MaxSession          time.Duration
	Tags                map[string]string
	Boundary            string // ARN of the permissions boundary, "" without one
}

type bucket struct {
	Name, Owner, Region string
	AccountRegional     bool
	Policy              policyDocument
	HasPolicy           bool
	settings            bucketSettings
	Objects             map[string][]byte
	written             map[string]time.Time // since when an object is there
}

// regionState is what one account has in one Region.
type regionState struct {
	account, name string

	recorder *configRecorder
	channel  *deliveryChannel
	// rules by ConfigRuleName.
	rules map[string]*configRule

	vpcs   []*vpc
	groups map[string]*securityGroup // by group id
	enis   []*networkInterface
	// leaning is who else counts on the groups; nil: nobody.
	leaning *leaning

	// config is what AWS Config keeps apart from its rules: recorded items.
	config configState
	// base is what an account has in a Region beside its networks; settings makes it.
	base *regionBaseline

	documents map[string]*ssmDocument // by name
	// executions are SSM automation executions, newest last.
	executions []*automationExecution
	// automations are the numbers of those under way; waiting are those that are not
	// allowed to run yet.
	automations int
	waiting     []*automationRun
	events      []*trailEvent     // of CloudTrail, newest last
	topics      map[string]bool   // ARNs of SNS
	stacks      map[string]*stack // by stack name, deleted ones left out
	gone        []*stack          // deleted ones, in order of their end
	detections  []*detection      // of drift
	// kept are resources of services that have no calls here: by type, then by what is
	// unique of it.
	kept map[string]map[string]*keptResource
}

type vpc struct {
	ID, CIDR string
	Default  bool
	Tags     map[string]string
}

// securityGroup is an EC2 security group; permissions are in EC2's own JSON
// shape (IpProtocol, FromPort, ToPort, IpRanges, Ipv6Ranges, UserIdGroupPairs,
// PrefixListIds) so that they can be handed to a script or to the wire as they are.
type securityGroup struct {
	ID, Name, Description, VPC string
	Ingress, Egress            []map[string]any
	Tags                       map[string]string
	ruleTags                   map[string]map[string]string // by rule id
	// changed is when its configuration item was last written.
	changed time.Time
}

type networkInterface struct {
	ID, Description string
	Groups          []string
	InterfaceType   string
}

type configRecorder struct {
	Name, RoleARN string
	// ServicePrincipal is set for a service-linked recorder, which does not
	// count against the one customer-managed recorder.
	ServicePrincipal string
	AllSupported     bool
	IncludeGlobal    bool
	ResourceTypes    []string // recorded when AllSupported is false
	Exclusions       []string // EXCLUSION_BY_RESOURCE_TYPES
	Frequency        string   // CONTINUOUS, DAILY
	// Overrides is the one exception to Frequency that a recorder may have.
	Overrides         []recordingOverride
	Recording         bool
	LastStatus        string // Pending, Success, Failure, NotApplicable
	LastStart         time.Time
	LastStop          time.Time
	LastStatusChanged time.Time
	LastErrorCode     string
	LastErrorMessage  string
	made, changed     time.Time // by PutConfigurationRecorder; AWS does not show it
}

// globalTypes are the types that a recorder of all types records with
// includeGlobalResourceTypes only (API reference, RecordingGroup).
var globalTypes = []string{"AWS::IAM::User", "AWS::IAM::Group", "AWS::IAM::Role", "AWS::IAM::Policy"}

// records says whether the recorder records a resource type.
func (r *configRecorder) records(resourceType string) bool {
	if r == nil {
		return false
	}
	if r.AllSupported {
		return r.IncludeGlobal || !slices.Contains(globalTypes, resourceType)
	}
	if len(r.Exclusions) > 0 {
		for _, t := range r.Exclusions {
			if t == resourceType {
				return false
			}
		}
		return true
	}
	for _, t := range r.ResourceTypes {
		if t == resourceType {
			return true
		}
	}
	return false
}

type deliveryChannel struct {
	Name, Bucket, KeyPrefix, KMSKey, Topic, Frequency string

	// How the last snapshot that was asked for went.
	snapshotTried, snapshotDone time.Time
	snapshotError               *apiError
}

// configRule is a Config rule with what it last said.
type configRule struct {
	// looked is when a periodic rule last asked the services.
	looked            time.Time
	Name, ARN, ID     string
	Description       string
	Owner, Identifier string // AWS, VPC_DEFAULT_SECURITY_GROUP_CLOSED
	InputParameters   map[string]string
	ScopeTypes        []string
	// ScopeID, ScopeKey and ScopeValue narrow the rule to a resource, or to those
	// with a tag.
	ScopeID, ScopeKey, ScopeValue string
	// Source is what a custom rule was put with.
	Source    map[string]any
	policy    string // of a custom policy rule
	Frequency string // MaximumExecutionFrequency, of periodic rules
	// CreatedBy is the service principal of a service-linked rule.
	CreatedBy string
	State     string // ACTIVE, EVALUATING, DELETING
	Created   time.Time

	firstEvaluated bool
	lastInvoked    time.Time
	lastSuccess    time.Time
	lastFailure    time.Time
	errorCode      string
	errorMessage   string
	evaluations    int       // evaluations of the whole rule that are under way
	period         int       // of a periodic rule: counts its schedules, the newest holds
	lastAsked      time.Time // the last StartConfigRulesEvaluation
	// results by resource id; gone are those that went not long ago.
	results map[string]*evaluation
	gone    map[string]goneResult

	remediation *remediation
}

type evaluation struct {
	ResourceType, ResourceID string
	Compliance               string // COMPLIANT, NON_COMPLIANT, NOT_APPLICABLE
	Annotation               string
	Ordering                 time.Time // OrderingTimestamp: the configuration item's time
	Invoked, Recorded        time.Time
	// before is the verdict that this one took the place of, for a while.
	before *evaluation
}

type remediation struct {
	ARN, TargetID, TargetVersion, ResourceType string
	Automatic                                  bool
	Attempts, RetrySeconds                     int
	Static                                     map[string][]string
	ResourceValues                             []string // parameter names that take RESOURCE_ID
	ConcurrentPercent, ErrorPercent            int
	// executions by resource id; exceptions by resource id.
	executions map[string]*remediationExecution
	exceptions map[string]remediationException
	// of the automatic executions since none was under way: how many, how many failed
	wave, waveFailed int
}

type remediationException struct {
	Message string
	Expires time.Time
}

type remediationExecution struct {
	ResourceType, ResourceID string
	State                    string // QUEUED, IN_PROGRESS, SUCCEEDED, FAILED, UNKNOWN
	Steps                    []remediationStep
	Invoked, Updated         time.Time
	Attempts                 int
	FirstAttempt             time.Time
	manual                   bool
	// run is the SSM automation; AWS does not show its id here.
	run *automationExecution
}

type remediationStep struct {
	Name, State, Error string // State: SUCCEEDED, PENDING, FAILED, SKIPPED …
	Start, Stop        time.Time
}

type ssmDocument struct {
	Name, Type, Format string
	Version            string
	// Content is the document as the template gave it, intrinsics resolved.
	Content map[string]any
	Tags    map[string]string

	// Text is the document as an API call gave it; the rest is of such calls too.
	Text, VersionName, DisplayName, TargetType string
	Created                                    time.Time
	// older are earlier versions, oldest first; defaultVersion is "" for the newest.
	older          []*ssmDocument
	defaultVersion string
	// shared are accounts, or "all", with the version that they may use.
	shared map[string]string
}

// automationExecution is one run of an automation document.
type automationExecution struct {
	ID, Document, Version string
	Status                string // Pending, InProgress, Success, Failed, TimedOut, Cancelling, Cancelled
	Failure               string
	ExecutedBy            string
	Parameters            map[string][]string
	Outputs               map[string][]string
	Steps                 []automationStep
	Started, Ended        time.Time
	Tags                  map[string]string

	token, asked string // ClientToken and the request that came with it
	// stop is how StopAutomationExecution ended it: Cancel, Complete.
	stop   string
	cancel func()
}

// automationStep is one step of a run, in the order of the document.
type automationStep struct {
	ID                            string
	Name, Action, Status, Failure string // Status: Pending, InProgress, Success, Failed, TimedOut, Cancelled
	Inputs                        map[string]string
	Outputs                       map[string][]string
	Start, Stop                   time.Time
}

// regionStatus is Account's RegionOptStatus, "" for a Region that does not exist.
func (w *world) regionStatus(a *account, region string) string {
	for _, r := range w.enabledRegions {
		if r == region {
			return "ENABLED_BY_DEFAULT"
		}
	}
	for _, r := range w.optInRegions {
		if r == region {
			if a.optedIn[r] {
				return "ENABLED"
			}
			return "DISABLED"
		}
	}
	return ""
}

// ancestors gives the OU ids from the root (first) down to id itself (last).
func (w *world) ancestors(id string) []string {
	var out []string
	for id != "" && id != w.rootID {
		out = append([]string{id}, out...)
		ou := w.ous[id]
		if ou == nil {
			break
		}
		id = ou.ParentID
	}
	return append([]string{w.rootID}, out...)
}

// under says whether an account stands in an OU (or the root) or below it.
func (w *world) under(a *account, parent string) bool {
	for _, id := range w.ancestors(a.ParentID) {
		if id == parent {
			return true
		}
	}
	return false
}
