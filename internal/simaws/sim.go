// Package simaws is a simulated AWS organization: an http.Handler that speaks
// the wire protocols of Organizations, STS, CloudFormation (StackSets and
// stacks), AWS Config, IAM, EC2, ECS, Lambda, SSM, S3 and Account Management over an
// organization in memory, and Control Tower's lists. It reads the template it is given, creates the
// resources in each account and Region, evaluates Config rules, runs
// remediations, and fails as AWS fails, with AWS's words.
//
// It is judged against AWS, never against this module's own code: it imports
// none of orgs, stackset or reports. One endpoint serves all services; a
// request is routed by the credential scope of its SigV4 signature (access key,
// Region, service), as a custom endpoint of the SDKs and the AWS CLI signs it.
// Signatures are not verified. Access keys that it did not issue belong to the
// management account.
//
// Files: sim.go and wire_*.go receive and answer requests, clock.go is simulated
// time, world.go the state, generate.go makes an organization, one file or more
// a service: organizations_*.go, sts.go, iam.go, account.go, ec2.go, ecs.go, lambda.go, s3.go,
// cfn_*.go, config_*.go, ssm_*.go, controltower_*.go; truth.go and stats.go serve /_sim/….
package simaws

import (
	"log/slog"
	"net/http"
	"sync"
	"time"
)

// Options says what to simulate. The zero value is the built-in organization of
// 60 accounts in real time, without latency, throttling or faults.
type Options struct {
	// Accounts is the number of accounts, the management account included
	// (default 60, at least 3).
	Accounts int
	// Seed chooses what the generated organization looks like (default 1).
	Seed uint64
	// Home is the Region where existing customer resources with a home (trails,
	// buckets, recorders "home only") are put (default us-east-1).
	Home string
	// Speed divides the durations of operations, evaluations and remediations
	// (default 1: real time).
	Speed float64
	// Latency is added to every answer, in real time.
	Latency time.Duration
	// Throttle turns AWS's request rates on, in real time.
	Throttle bool
	// Rates are request rates of one's own.
	Rates Rates
	// Faults are random failures; FaultSeed chooses which calls they befall
	// (default: Seed).
	Faults    Faults
	FaultSeed uint64
	// Empty is an organization of the same tree where no account has anything
	// yet, every account can be entered and nothing is denied.
	Empty bool
	// NoOrganization, NoPaths, NoState and TrustedAccessOff are organizations as
	// tests need them: none at all, without the newer members of an account, and
	// without trusted access for StackSets.
	NoOrganization, NoPaths, NoState, TrustedAccessOff bool
	// EmptyPages begins every list of Organizations with an empty page that has a
	// NextToken, which Organizations may send.
	EmptyPages bool
	// ListLag is how far ListStackSetOperations and ListStackSetOperationResults are
	// behind, in simulated time; their consistency is eventual (API reference).
	ListLag time.Duration
	// AggregatorLag is how far AWS Config's aggregators are behind, in simulated time
	// (default one to three minutes, by account and Region).
	AggregatorLag time.Duration
	// Organization is made instead of a generated one; Accounts does not count then.
	Organization *Organization
	// LandingZone is the version of Control Tower's landing zone that a generated
	// organization has ("3.3", "4.0"), "" for none.
	LandingZone string
	// Now is the clock (default time.Now).
	Now func() time.Time
	// Log gets one line a request at debug level (default: nothing).
	Log *slog.Logger
}

// Sim is a simulated organization. It is an http.Handler, safe for concurrent use.
type Sim struct {
	mu    sync.Mutex
	opts  Options
	clock *clock
	world *world
	ids   *idSource // deterministic ids
	creds map[string]*issuedKey
	// faulted counts the calls of each digest, with Faults.
	faulted map[[16]byte]int
	limits  limits
	stats   stats
	// onMove follow an account that joins, moves or leaves.
	onMove []func(a *account, from, to string)
}

// ServeHTTP answers one request: /_sim/… or an AWS call.
func (s *Sim) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.serve(w, r) }

// caller is who makes a call.
type caller struct {
	Account string
	// ARN and UserID as GetCallerIdentity shows them.
	ARN, UserID string
	// Role is the role of an assumed-role session, nil for the management
	// account's own credentials.
	Role *iamRole
	// Session is the session policy that narrows it, nil without one.
	Session *policyDocument
	// Tags are those of the session; Transitive are the keys that a chained session
	// has too. SourceIdentity stays the same along a chain.
	Tags           map[string]string
	Transitive     []string
	SourceIdentity string
}

// call is one request, decoded as far as its protocol allows.
type call struct {
	Service string // the SigV4 name: organizations, config, cloudformation, …
	Action  string // ListAccounts
	Region  string // from the credential scope
	Caller  caller
	Request *http.Request
	// Form holds the members of a query-protocol request.
	Form query
	// Body is the JSON of a json- or rest-protocol request.
	Body []byte
	// RequestID is also sent as X-Amzn-Requestid.
	RequestID string
	// upset is what befalls it by Options.Faults.
	upset disturbance
}

// handler answers a call, with Sim.mu held and due events run. The answer is
// marshalled by the service's protocol: encoding/json for json and rest,
// encoding/xml (fields in <ActionResult>) for query and ec2. Errors are
// *apiError; any other error is an internal failure.
type handler func(s *Sim, c *call) (any, error)

// service is one AWS service as it is served here.
type service struct {
	protocol   protocol
	version    string // query: API version
	namespace  string // query: the XML namespace
	target     string // json: the X-Amz-Target prefix
	longTarget string // json: a second X-Amz-Target prefix, which other SDKs send
	iamPrefix  string // of its IAM actions, when not the SigV4 name
	ops        map[string]handler
	// route finds the operation of a request, and its members, where neither a header nor
	// the path's last word names it.
	route func(*http.Request) (action string, members map[string]any)
	// paths names the operations of a rest-protocol service whose paths are not their names.
	paths map[string]string
	// asks: its calls ask for each resource themselves.
	asks bool
}

// services by SigV4 name.
var services map[string]*service

func init() {
	// Set here, not in the declaration, since handlers refer to services.
	services = map[string]*service{
		"organizations":  {protocol: protocolJSON11, target: "AWSOrganizationsV20161128", ops: organizationsOps},
		"config":         {protocol: protocolJSON11, target: "StarlingDoveService", ops: configOps},
		"ssm":            {protocol: protocolJSON11, target: "AmazonSSM", ops: ssmOps},
		"cloudformation": {protocol: protocolQuery, version: "2010-05-15", namespace: "http://cloudformation.amazonaws.com/doc/2010-05-15/", ops: cloudformationOps},
		"sts":            {protocol: protocolQuery, version: "2011-06-15", namespace: "https://sts.amazonaws.com/doc/2011-06-15/", ops: stsOps, asks: true},
		"iam":            {protocol: protocolQuery, version: "2010-05-08", namespace: "https://iam.amazonaws.com/doc/2010-05-08/", ops: iamOps},
		"ec2":            {protocol: protocolEC2, version: "2016-11-15", namespace: "http://ec2.amazonaws.com/doc/2016-11-15/", ops: ec2Ops, asks: true},
		"ecs":            {protocol: protocolJSON11, target: "AmazonEC2ContainerServiceV20141113", ops: ecsOps, asks: true},
		"lambda":         {protocol: protocolREST, route: lambdaRoute, ops: lambdaOps, asks: true},
		"monitoring":     {protocol: protocolCBOR, target: "GraniteServiceVersion20100801", iamPrefix: "cloudwatch", ops: cloudwatchOps, asks: true},
		"account":        {protocol: protocolREST, ops: accountOps},
		"controltower":   {protocol: protocolREST, paths: controltowerPaths, ops: controltowerOps},
		"servicequotas":  {protocol: protocolJSON11, target: "ServiceQuotasV20190624", ops: servicequotasOps},
		"s3":             {protocol: protocolS3, ops: s3Ops, asks: true},
		"cloudtrail":     {protocol: protocolJSON11, target: "CloudTrail_20131101", longTarget: "com.amazonaws.cloudtrail.v20131101.CloudTrail_20131101", ops: cloudtrailOps},
	}
}

// apiError is an error as AWS sends it.
type apiError struct {
	Status  int
	Code    string
	Message string
	// Extra members of a JSON error body, such as Reason.
	Extra map[string]any
}

func (e *apiError) Error() string { return e.Code + ": " + e.Message }

func fail(status int, code, message string) *apiError {
	return &apiError{Status: status, Code: code, Message: message}
}
