package simaws

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"slices"
	"strconv"
	"time"
)

// Faults are what goes wrong by chance. For each kind the rule that names a call
// best counts: its API, else its service, else every call.
type Faults []FaultRule

// FaultRule gives a share of calls a fault.
type FaultRule struct {
	Service, Action string // "" is every one
	Kind            FaultKind
	Share           float64 // from 0 to 1
	// By is how long a slow answer takes longer, or how far the clocks stand apart.
	By time.Duration
}

// FaultKind is what goes wrong.
type FaultKind string

// The kinds of faults. An answer can be slow besides another fault; of the others a
// call has one at most.
const (
	FaultThrottle FaultKind = "throttle" // the service's refusal of too many requests
	FaultError    FaultKind = "error"    // the service's internal error, HTTP 500
	FaultReset    FaultKind = "reset"    // the connection breaks before an answer; the call is not run
	FaultCut      FaultKind = "cut"      // the connection breaks in the middle of the answer; the call is run
	FaultExpired  FaultKind = "expired"  // the credentials are expired
	FaultClock    FaultKind = "clock"    // the caller's clock is wrong: the signature is refused, Date says the time
	FaultSlow     FaultKind = "slow"     // the answer comes late
)

var faultKinds = []FaultKind{FaultThrottle, FaultError, FaultReset, FaultCut, FaultExpired, FaultClock, FaultSlow}

// disturbance is what befalls one call.
type disturbance struct {
	kind FaultKind // "" for none
	skew time.Duration
	slow time.Duration
}

// errCut stands for a connection that breaks in the middle of an answer.
var errCut = errors.New("unexpected EOF")

// has says whether any call meets a kind of fault.
func (f Faults) has(kind FaultKind) bool {
	return slices.ContainsFunc(f, func(r FaultRule) bool { return r.Kind == kind && r.Share > 0 })
}

// rule finds the rule of a kind that names a call best.
func (f Faults) rule(kind FaultKind, service, action string) (found FaultRule) {
	best := -1
	for _, r := range f {
		if r.Kind != kind || (r.Service != "" && r.Service != service) || (r.Action != "" && r.Action != action) {
			continue
		}
		rank := 0
		if r.Service != "" {
			rank++
		}
		if r.Action != "" {
			rank++
		}
		if rank > best {
			best, found = rank, r
		}
	}
	return found
}

// disturbed decides what befalls a call. It depends only on the seed, on who calls
// what with which parameters, and on how many such calls came before, so that a run
// that fails fails again, in whatever order concurrent calls arrive.
func (s *Sim) disturbed(c *call) (d disturbance) {
	if len(s.opts.Faults) == 0 {
		return d
	}
	key := callDigest(c)
	s.mu.Lock()
	n := s.faulted[key]
	s.faulted[key]++
	s.mu.Unlock()
	seed := s.opts.FaultSeed
	if seed == 0 {
		seed = s.opts.Seed
	}
	h := sha256.Sum256(binary.LittleEndian.AppendUint64(slices.Clone(key[:]), uint64(n)))
	random := rand.New(rand.NewPCG(seed, binary.LittleEndian.Uint64(h[:])))
	roll, late := random.Float64(), random.Float64()
	for _, kind := range faultKinds {
		r := s.opts.Faults.rule(kind, c.Service, c.Action)
		if kind == FaultSlow {
			if late < r.Share {
				d.slow = r.By
			}
			continue
		}
		if d.kind == "" && roll >= 0 && roll < r.Share {
			d.kind, d.skew = kind, r.By
		}
		roll -= r.Share
	}
	return d
}

// callTokens are members that clients fill at random: they say nothing of a call.
var callTokens = []string{"ClientRequestToken", "ClientToken", "OperationId", "RoleSessionName"}

// callDigest is the same for two calls of one caller that ask for the same. A role's
// session is told by the role, since session names are made anew in each run.
func callDigest(c *call) [16]byte {
	h := sha256.New()
	fmt.Fprintf(h, "%s\x00%s\x00%s\x00%s\x00%s\x00", c.Caller.Account, roleName(c.Caller.Role), c.Region, c.Service, c.Action)
	if c.Form.values != nil {
		for _, name := range sortedKeys(c.Form.values) {
			if !slices.Contains(callTokens, name) {
				fmt.Fprintf(h, "%q=%q\n", name, c.Form.values[name])
			}
		}
	} else {
		fmt.Fprintf(h, "%s\n", c.Request.URL.Path)
		// The SDKs write maps in any order; encoding/json sorts them.
		var members map[string]any
		decoder := json.NewDecoder(bytes.NewReader(c.Body))
		decoder.UseNumber()
		if decoder.Decode(&members) == nil {
			for _, name := range callTokens {
				delete(members, name)
			}
			h.Write(marshal(members))
		} else {
			h.Write(c.Body)
		}
	}
	return [16]byte(h.Sum(nil)[:16])
}

// disturb gives the error of a call's fault.
func (s *Sim) disturb(svc *service, c *call) error {
	switch c.upset.kind {
	case "":
		if c.upset.slow > 0 {
			s.stats.faults++
		}
		return nil
	case FaultThrottle:
		s.stats.throttled++
		return throttled(c)
	}
	s.stats.faults++
	switch c.upset.kind {
	case FaultReset:
		return errReset
	case FaultExpired:
		return expiredToken(svc)
	case FaultClock:
		signed, server := signedAt(c, s.opts.Now()), skewed(c, s.opts.Now())
		if withinClock(svc, signed, server) {
			return nil
		}
		return wrongClock(svc, signed, server)
	case FaultError:
		return internalError(c.Service)
	}
	return nil // cut: the call is run
}

// internalError is a service's own error, by the name that its model or, where that has
// none, the "Common Errors" of its API reference has.
func internalError(service string) *apiError {
	code, text := "InternalFailure", "The request processing has failed because of an unknown error, exception or failure."
	switch service {
	case "organizations":
		code, text = "ServiceException", "AWS Organizations can't complete your request because of an internal service error. Try again later."
	case "ssm":
		code, text = "InternalServerError", "An error occurred on the server side."
	case "account":
		code, text = "InternalServerException", "The operation failed because of an error internal to AWS. Try your operation again later."
	case "iam":
		code, text = "ServiceFailure", "The request processing has failed because of an unknown error, exception or failure."
	case "ec2":
		code, text = "InternalError", "An internal error has occurred"
	case "s3":
		code, text = "InternalError", "We encountered an internal error. Please try again."
	}
	return fail(http.StatusInternalServerError, code, text)
}

// expiredToken is what a service says to credentials that are out of date.
func expiredToken(svc *service) *apiError {
	switch svc.protocol {
	case protocolJSON11:
		return fail(http.StatusBadRequest, "ExpiredTokenException", "The security token included in the request is expired")
	case protocolREST:
		return fail(http.StatusForbidden, "ExpiredTokenException", "The security token included in the request is expired")
	case protocolEC2: // EC2 API reference, "Common client error codes"
		return fail(http.StatusBadRequest, "RequestExpired", "Request has expired.")
	case protocolS3:
		return fail(http.StatusBadRequest, "ExpiredToken", "The provided token has expired.")
	}
	return fail(http.StatusForbidden, "ExpiredToken", "The security token included in the request is expired")
}

const signatureTime = "20060102T150405Z"

// signedAt is the time of a request's signature.
func signedAt(c *call, now time.Time) time.Time {
	if at, err := time.Parse(signatureTime, c.Request.Header.Get("X-Amz-Date")); err == nil {
		return at
	}
	return now.UTC()
}

// skewed is the service's time where the caller's clock is wrong. It is counted from
// the signature, since a client that was set right before would else pass, and
// whether it was depends on the order of its calls.
func skewed(c *call, now time.Time) time.Time { return signedAt(c, now).Add(c.upset.skew) }

// withinClock says whether a service takes a signature of another time: five minutes
// of difference are allowed, fifteen by S3 and EC2.
func withinClock(svc *service, signed, server time.Time) bool {
	allowed := 5 * time.Minute
	if svc.protocol == protocolEC2 || svc.protocol == protocolS3 {
		allowed = 15 * time.Minute
	}
	return signed.Sub(server).Abs() <= allowed
}

// wrongClock is what a service says to a signature of another time. The answer's Date has the service's
// time, by which the SDKs set themselves right and try again.
func wrongClock(svc *service, signed, server time.Time) *apiError {
	const stamp = signatureTime
	text := fmt.Sprintf("Signature expired: %s is now earlier than %s (%s - 5 min.)", signed.Format(stamp), server.Add(-5*time.Minute).Format(stamp), server.Format(stamp))
	if server.Before(signed) {
		text = fmt.Sprintf("Signature not yet current: %s is still later than %s (%s + 5 min.)", signed.Format(stamp), server.Add(5*time.Minute).Format(stamp), server.Format(stamp))
	}
	switch svc.protocol {
	case protocolJSON11:
		return fail(http.StatusBadRequest, "InvalidSignatureException", text)
	case protocolREST:
		return fail(http.StatusForbidden, "InvalidSignatureException", text)
	case protocolEC2:
		return fail(http.StatusBadRequest, "RequestExpired", "Request has expired.")
	case protocolS3:
		return fail(http.StatusForbidden, "RequestTimeTooSkewed", "The difference between the request time and the current time is too large.")
	}
	return fail(http.StatusForbidden, "SignatureDoesNotMatch", text)
}

// cut writes half of an answer; one without a body is not answered at all.
func cut(w http.ResponseWriter, whole *recorder) error {
	body := whole.body.Bytes()
	if len(body) == 0 {
		return errReset
	}
	for name, values := range whole.header {
		w.Header()[name] = values
	}
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(whole.status)
	w.Write(body[:len(body)/2]) //nolint:errcheck // the client has gone
	// So that the half arrives before the connection breaks.
	http.NewResponseController(w).Flush() //nolint:errcheck // not every writer can
	return errCut
}

// brokenBody ends as a body does whose connection broke.
type brokenBody struct{}

func (brokenBody) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }
