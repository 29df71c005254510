package simaws

import (
	"net/http"
	"strings"
	"time"
)

// limits are AWS's request rates, in real time.
type limits struct{ buckets map[string]*tokenBucket }

type tokenBucket struct {
	tokens float64
	last   time.Time
}

// take takes a token if there is one.
func (b *tokenBucket) take(now time.Time, perSecond, burst float64) bool {
	if b.last.IsZero() {
		b.tokens, b.last = burst, now
	}
	b.tokens = min(burst, b.tokens+now.Sub(b.last).Seconds()*perSecond)
	b.last = now
	if b.tokens < 1 {
		return false
	}
	b.tokens--
	return true
}

// rateLimit is one published row: APIs that share a bucket, by caller's account.
type rateLimit struct {
	row              string
	perSecond, burst float64
}

// organizationsRates are the rows of "Quotas for AWS Organizations", throttling
// by account. AWS prints one figure for a row of several APIs; they share a bucket here.
var organizationsRates = map[string]rateLimit{
	"DescribeOrganization":                {"DescribeOrganization", 1, 2},
	"ListRoots":                           {"ListRoots", 1, 2},
	"ListOrganizationalUnitsForParent":    {"ForParent", 5, 8},
	"ListAccountsForParent":               {"ForParent", 5, 8},
	"ListParents":                         {"ForParent", 5, 8},
	"ListChildren":                        {"ListChildren", 6, 10},
	"ListAccounts":                        {"ListAccounts", 8, 12},
	"DescribeAccount":                     {"DescribeAccount", 20, 30},
	"DescribeOrganizationalUnit":          {"DescribeOrganizationalUnit", 2, 2},
	"ListTagsForResource":                 {"ListTagsForResource", 10, 15},
	"ListDelegatedAdministrators":         {"ListDelegatedAdministrators", 5, 8},
	"ListAWSServiceAccessForOrganization": {"ServiceAccess", 1, 3},
	"ListDelegatedServicesForAccount":     {"ServiceAccess", 1, 3},
	"CreateOrganizationalUnit":            {"DescribeOrganization", 1, 2},
	"MoveAccount":                         {"MoveAccount", 2, 3},
	"UpdateOrganizationalUnit":            {"MoveAccount", 2, 3},
	"DeleteOrganizationalUnit":            {"MoveAccount", 2, 3},
	"CreateAccount":                       {"CreateAccount", 0.1, 3},
	"TagResource":                         {"TagResource", 4, 6},
	"UntagResource":                       {"TagResource", 4, 6},
}

// organizationRates are the same table's figures for all accounts of the
// organization together, by row; a row without one is limited by account only.
var organizationRates = map[string]rateLimit{
	"ListRoots":                   {"ListRoots", 1, 3},
	"ForParent":                   {"ForParent", 6, 10},
	"ListChildren":                {"ListChildren", 7, 12},
	"ListAccounts":                {"ListAccounts", 9, 15},
	"DescribeAccount":             {"DescribeAccount", 24, 36},
	"DescribeOrganizationalUnit":  {"DescribeOrganizationalUnit", 2, 3},
	"ListTagsForResource":         {"ListTagsForResource", 12, 18},
	"ListDelegatedAdministrators": {"ListDelegatedAdministrators", 6, 10},
	"ServiceAccess":               {"ServiceAccess", 1, 4},
}

// rate gives the bucket and figures of a call. Those of CloudFormation, Config and
// the rest are not published: the figures are settings of this simulator.
func rate(c *call) (bucket string, perSecond, burst float64) {
	switch c.Service {
	case "organizations":
		if r, ok := organizationsRates[c.Action]; ok {
			return "organizations " + r.row + " " + c.Caller.Account, r.perSecond, r.burst
		}
		return "", 0, 0
	case "account": // "Quotas for Account Management": 5 a second, burst 5, by account
		return "account " + c.Caller.Account, 5, 5
	case "sts": // "IAM and STS quotas": 600 a second by account and Region
		return "sts " + c.Caller.Account + c.Region, 600, 600
	case "cloudtrail": // API reference, LookupEvents: two a second by account and Region
		if c.Action == "LookupEvents" {
			return "cloudtrail LookupEvents " + c.Caller.Account + c.Region, 2, 2
		}
		return "", 0, 0
	case "servicequotas": // "Service quotas for Service Quotas": by call and Region, as many again in one burst
		if strings.HasPrefix(c.Action, "List") {
			return "servicequotas " + c.Action + c.Caller.Account + c.Region, 10, 20
		}
		return "servicequotas " + c.Action + c.Caller.Account + c.Region, 5, 10
	case "cloudformation":
		return "cloudformation " + c.Caller.Account + c.Region, 10, 20
	case "config":
		return "config " + c.Caller.Account + c.Region, 5, 10
	case "iam":
		return "iam " + c.Caller.Account, 15, 30
	}
	return "", 0, 0
}

// throttle refuses a call that comes too soon, in the service's words.
func (s *Sim) throttle(c *call) error {
	if name, r, ok := s.opts.Rates.of(c); ok {
		if s.bucket(name).take(s.opts.Now(), r.PerSecond, r.Burst) {
			return nil
		}
		s.stats.throttled++
		return throttled(c)
	}
	if !s.opts.Throttle {
		return nil
	}
	name, perSecond, burst := rate(c)
	if name == "" {
		return nil
	}
	now := s.opts.Now()
	ok := s.bucket(name).take(now, perSecond, burst)
	if all, limited := organizationRates[organizationsRates[c.Action].row]; limited && c.Service == "organizations" {
		ok = s.bucket("organization "+all.row).take(now, all.perSecond, all.burst) && ok
	}
	if ok {
		return nil
	}
	s.stats.throttled++
	return throttled(c)
}

func (s *Sim) bucket(name string) *tokenBucket {
	b := s.limits.buckets[name]
	if b == nil {
		b = &tokenBucket{}
		s.limits.buckets[name] = b
	}
	return b
}

func throttled(c *call) *apiError {
	switch c.Service {
	case "organizations":
		// 400, not 429 (aws/aws-sdk-js#2135).
		return fail(http.StatusBadRequest, "TooManyRequestsException", "You have sent too many requests in too short a period of time. Try again later.")
	case "servicequotas":
		return fail(http.StatusBadRequest, "TooManyRequestsException", "Due to throttling, the request was denied. Slow down the rate of request calls, or request an increase for this quota.")
	case "account":
		return fail(http.StatusTooManyRequests, "TooManyRequestsException", "Too many requests")
	case "config", "ssm", "cloudtrail":
		return fail(http.StatusBadRequest, "ThrottlingException", "Rate exceeded")
	case "ec2":
		return fail(http.StatusServiceUnavailable, "RequestLimitExceeded", "Request limit exceeded.")
	case "s3":
		return fail(http.StatusServiceUnavailable, "SlowDown", "Please reduce your request rate.")
	}
	return fail(http.StatusBadRequest, "Throttling", "Rate exceeded")
}
