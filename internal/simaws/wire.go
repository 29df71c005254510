package simaws

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"time"
)

// protocol is an AWS wire protocol.
type protocol int

const (
	protocolJSON11 protocol = iota + 1
	protocolQuery
	protocolEC2
	protocolREST
	protocolS3
	protocolCBOR // Smithy RPC v2
)

// bodyLimit is the largest request taken: a template of 51,200 bytes in a form,
// with an account list beside it, stays far below.
const bodyLimit = 16 << 20

// New makes a simulated organization.
func New(opts Options) *Sim {
	if opts.Accounts == 0 {
		opts.Accounts = 60
	}
	opts.Accounts = max(opts.Accounts, 3)
	if opts.Seed == 0 {
		opts.Seed = 1
	}
	if opts.Home == "" {
		opts.Home = "us-east-1"
	}
	if opts.Speed <= 0 {
		opts.Speed = 1
	}
	if opts.Now == nil {
		opts.Now = time.Now
	}
	if opts.Log == nil {
		opts.Log = slog.New(slog.DiscardHandler)
	}
	s := &Sim{
		opts:  opts,
		clock: &clock{now: opts.Now, speed: opts.Speed},
		ids:   newIDSource(opts.Seed),
		creds: map[string]*issuedKey{},
	}
	s.limits.buckets = map[string]*tokenBucket{}
	s.stats.calls = map[string]int{}
	s.faulted = map[[16]byte]int{}
	s.world = generate(s)
	s.onMove = append(s.onMove, s.follow, s.governAgain)
	return s
}

// Client is an HTTP client that calls the simulation without a socket.
func (s *Sim) Client() Client { return Client{s} }

// Client hands requests to a simulation in the same process.
type Client struct{ sim *Sim }

// Do answers one request.
func (c Client) Do(r *http.Request) (*http.Response, error) {
	if err := r.Context().Err(); err != nil {
		return nil, err
	}
	w := &recorder{header: http.Header{}, status: http.StatusOK}
	if r.Body == nil {
		r.Body = http.NoBody
	}
	err := c.sim.answer(w, r)
	if err != nil && !errors.Is(err, errCut) {
		return nil, err
	}
	length, body := int64(w.body.Len()), io.Reader(&w.body)
	if err != nil {
		length, body = -1, io.MultiReader(&w.body, brokenBody{})
	}
	return &http.Response{
		Status: fmt.Sprintf("%d %s", w.status, http.StatusText(w.status)), StatusCode: w.status,
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Header: w.header,
		Body: io.NopCloser(body), ContentLength: length, Request: r,
	}, nil
}

type recorder struct {
	header http.Header
	status int
	body   bytes.Buffer
}

func (r *recorder) Header() http.Header         { return r.header }
func (r *recorder) WriteHeader(status int)      { r.status = status }
func (r *recorder) Write(b []byte) (int, error) { return r.body.Write(b) }

// errReset stands for a connection that breaks before an answer.
var errReset = errors.New("read: connection reset by peer")

func (s *Sim) serve(w http.ResponseWriter, r *http.Request) {
	if s.answer(w, r) != nil {
		// The HTTP server's own way to break a connection without an answer.
		panic(http.ErrAbortHandler)
	}
}

// answer answers a request; an error means that the connection breaks instead.
func (s *Sim) answer(w http.ResponseWriter, r *http.Request) error {
	if strings.HasPrefix(r.URL.Path, "/_sim/") {
		s.control(w, r)
		return nil
	}
	if s.opts.Latency > 0 {
		if err := wait(r.Context(), s.opts.Latency); err != nil {
			return err
		}
	}
	c, svc, fault := s.decode(r)
	started := s.opts.Now()
	var body any
	var err error
	if fault != nil {
		err = fault
	} else {
		if svc.ops[c.Action] != nil {
			c.upset = s.disturbed(c)
		}
		if c.upset.slow > 0 {
			if err := wait(r.Context(), c.upset.slow); err != nil {
				return err
			}
		}
		body, err = s.dispatch(svc, c)
		if errors.Is(err, errReset) {
			return err
		}
	}
	now := s.opts.Now()
	if c.upset.kind == FaultClock {
		now = skewed(c, now)
	}
	if c.upset.kind == FaultCut {
		whole := &recorder{header: http.Header{}, status: http.StatusOK}
		encode(whole, svc, c, body, err, now)
		return cut(w, whole)
	}
	status := encode(w, svc, c, body, err, now)
	s.opts.Log.Debug("simulated call", "service", c.Service, "action", c.Action, "account", c.Caller.Account, "region", c.Region, "status", status, "took", s.opts.Now().Sub(started))
	return nil
}

func wait(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

var credentialScope = regexp.MustCompile(`Credential=([^/,\s]+)/\d{8}/([a-z0-9-]+)/([a-z0-9-]+)/aws4_request`)

// decode finds out what is called and by whom.
func (s *Sim) decode(r *http.Request) (*call, *service, *apiError) {
	c := &call{Request: r}
	s.mu.Lock()
	c.RequestID = s.ids.uuid()
	s.mu.Unlock()
	scope := credentialScope.FindStringSubmatch(r.Header.Get("Authorization"))
	if scope == nil {
		scope = credentialScope.FindStringSubmatch("Credential=" + r.URL.Query().Get("X-Amz-Credential"))
	}
	if scope == nil {
		return c, nil, fail(http.StatusForbidden, "MissingAuthenticationToken", "Missing Authentication Token")
	}
	c.Region, c.Service = scope[2], scope[3]
	svc := services[c.Service]
	if svc == nil {
		return c, nil, fail(http.StatusNotImplemented, "UnknownService", "the simulated organization does not serve "+c.Service)
	}
	body, err := io.ReadAll(io.LimitReader(r.Body, bodyLimit+1))
	if err != nil || len(body) > bodyLimit {
		return c, svc, fail(http.StatusRequestEntityTooLarge, "RequestEntityTooLarge", "Request size exceeded the limit")
	}
	if fault := s.identify(c, svc, scope[1]); fault != nil {
		return c, svc, fault
	}
	switch svc.protocol {
	case protocolJSON11:
		prefix, action, _ := strings.Cut(r.Header.Get("X-Amz-Target"), ".")
		if i := strings.LastIndexByte(r.Header.Get("X-Amz-Target"), '.'); svc.longTarget != "" && i > 0 && r.Header.Get("X-Amz-Target")[:i] == svc.longTarget {
			prefix, action = svc.target, r.Header.Get("X-Amz-Target")[i+1:]
		}
		if prefix != svc.target || action == "" {
			return c, svc, fail(http.StatusBadRequest, "UnknownOperationException", "")
		}
		c.Action, c.Body = action, body
		if len(bytes.TrimSpace(body)) == 0 {
			c.Body = []byte("{}")
		}
		if !json.Valid(c.Body) {
			return c, svc, fail(http.StatusBadRequest, "SerializationException", "Unable to parse the request body as JSON")
		}
	case protocolQuery, protocolEC2:
		form, err := url.ParseQuery(string(body))
		if err != nil {
			return c, svc, fail(http.StatusBadRequest, "MalformedQueryString", "Unable to parse the request body")
		}
		for k, v := range r.URL.Query() {
			form[k] = append(form[k], v...)
		}
		c.Form = query{values: form}
		c.Action = c.Form.str("Action")
		if c.Action == "" {
			return c, svc, fail(http.StatusBadRequest, "MissingAction", "The request must contain the parameter Action")
		}
	case protocolREST:
		if svc.route != nil {
			action, members := svc.route(r)
			c.Action, c.Body = action, marshal(members)
			return c, svc, nil
		}
		if action := strings.Trim(r.URL.Path, "/"); action != "" {
			c.Action = strings.ToUpper(action[:1]) + action[1:]
			if svc.paths != nil {
				c.Action = svc.paths[action]
			}
		}
		c.Body = body
		if len(bytes.TrimSpace(body)) == 0 {
			c.Body = []byte("{}")
		}
		if !json.Valid(c.Body) {
			return c, svc, fail(http.StatusBadRequest, "ValidationException", "Unable to parse the request body as JSON")
		}
	case protocolS3:
		c.Action, c.Body = s3Action(r), body
	case protocolCBOR:
		c.Action, c.Body = cborAction(svc, r), body
	}
	return c, svc, nil
}

// dispatch runs one call with the lock held, once what is due has happened.
func (s *Sim) dispatch(svc *service, c *call) (body any, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	defer func() {
		if r := recover(); r != nil {
			s.opts.Log.Error("simulated call panicked", "service", c.Service, "action", c.Action, "panic", r)
			body, err = nil, fail(http.StatusInternalServerError, "InternalFailure", fmt.Sprintf("the simulator failed in %s: %v", c.Action, r))
		}
	}()
	s.clock.advance()
	h, ok := svc.ops[c.Action]
	if !ok {
		return nil, unknownAction(svc, c)
	}
	s.stats.calls[c.Service+":"+c.Action]++
	if err := s.disturb(svc, c); err != nil {
		return nil, err
	}
	if err := s.throttle(c); err != nil {
		return nil, err
	}
	if err := s.regionOn(svc, c); err != nil {
		return nil, err
	}
	prefix := c.Service
	if svc.iamPrefix != "" {
		prefix = svc.iamPrefix
	}
	// GetCallerIdentity needs no permission (STS API reference); an
	// AssumeRole is decided by the role's trust in sts.go.
	// IAM's calls about users ask for each resource themselves.
	if !svc.asks && (c.Service != "iam" || userCalls["iam:"+c.Action] == nil) {
		for _, resource := range s.resources(c) {
			if err := s.allowed(c.Caller, access{Action: prefix + ":" + c.Action, Resource: resource, Context: map[string]string{"aws:requestedregion": c.Region}}); err != nil {
				return nil, denial(svc, err)
			}
		}
	}
	if err := constrained(c); err != nil {
		return nil, err
	}
	return h(s, c)
}

// unknownAction is what a service answers to a call that it does not know: the JSON
// protocols name an exception, query services an action and a version, and EC2 has
// words of its own (EC2 API reference, "Common errors").
func unknownAction(svc *service, c *call) error {
	switch svc.protocol {
	case protocolJSON11:
		return fail(http.StatusBadRequest, "UnknownOperationException", "")
	case protocolREST, protocolCBOR:
		return fail(http.StatusNotFound, "UnknownOperationException", "")
	case protocolS3: // S3 API reference, error responses
		return fail(http.StatusNotImplemented, "NotImplemented", "A header that you provided implies functionality that is not implemented.")
	case protocolEC2:
		return fail(http.StatusBadRequest, "InvalidAction", "The action "+c.Action+" is not valid for this web service.")
	}
	return fail(http.StatusBadRequest, "InvalidAction", "Could not find operation "+c.Action+" for version "+svc.version)
}

// regionOn refuses a call in a Region that is off in the caller's account, as AWS
// does: the credentials are not known there (re:Post "iam-validate-access-credentials").
func (s *Sim) regionOn(svc *service, c *call) error {
	// An account that left the organization is no longer simulated: its keys end too.
	if a := s.world.accounts[c.Caller.Account]; a != nil {
		switch c.Service {
		case "organizations", "iam", "account", "s3":
			return nil
		}
		switch s.world.regionStatus(a, c.Region) {
		case "ENABLED", "ENABLED_BY_DEFAULT":
			return nil
		}
	}
	switch svc.protocol {
	case protocolJSON11:
		return fail(http.StatusBadRequest, "UnrecognizedClientException", "The security token included in the request is invalid.")
	case protocolREST:
		return fail(http.StatusForbidden, "UnrecognizedClientException", "The security token included in the request is invalid.")
	}
	if svc.protocol == protocolEC2 {
		return fail(http.StatusUnauthorized, "AuthFailure", "AWS was not able to validate the provided access credentials")
	}
	return fail(http.StatusForbidden, "InvalidClientTokenId", "The security token included in the request is invalid")
}

// denial spells a refusal as the service's protocol does.
func denial(svc *service, err error) error {
	var e *apiError
	if !errors.As(err, &e) {
		return err
	}
	out := *e
	switch svc.protocol {
	case protocolJSON11, protocolREST:
		out.Code, out.Status = "AccessDeniedException", http.StatusBadRequest
		if svc.protocol == protocolREST {
			out.Status = http.StatusForbidden
		}
	case protocolEC2:
		out.Code, out.Status = "UnauthorizedOperation", http.StatusForbidden
	default:
		out.Code, out.Status = "AccessDenied", http.StatusForbidden
	}
	return &out
}

// unmarshal reads the members of a JSON request.
func unmarshal(c *call, into any) error {
	decoder := json.NewDecoder(bytes.NewReader(c.Body))
	if err := decoder.Decode(into); err != nil {
		return fail(http.StatusBadRequest, "SerializationException", "the members of "+c.Action+" could not be read: "+err.Error())
	}
	return nil
}
