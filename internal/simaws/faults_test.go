package simaws

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"sort"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/organizations"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/smithy-go"
)

func TestParseFaults(t *testing.T) {
	good := map[string]string{
		"":                           "[]",
		"throttle=0.1, error=0.02":   "[{  throttle 0.1 0s} {  error 0.02 0s}]",
		"config:*:slow=0.02:2s":      "[{config  slow 0.02 2s}]",
		"clock=1":                    "[{  clock 1 10m0s}]",
		"sts:AssumeRole:clock=1:-1h": "[{sts AssumeRole clock 1 -1h0m0s}]",
		"error=0.6,throttle=0.4":     "[{  error 0.6 0s} {  throttle 0.4 0s}]",
	}
	for text, want := range good {
		if got, err := ParseFaults(text); err != nil || fmt.Sprint([]FaultRule(got)) != want {
			t.Errorf("%q: %v, %v; want %s", text, got, err, want)
		}
	}
	bad := map[string]string{
		"throttle":                             "write a kind and a share",
		"trottle=0.1":                          `no fault "trottle"`,
		"throttle=1.1":                         "not a share",
		"reset=NaN":                            "not a share",
		"slow=0.1":                             "for how long",
		"slow=0.1:soon":                        "not a duration",
		"slow=0.1:-1s":                         "by more than 0s",
		"error=0.1:3s":                         "error has no duration",
		"clock=0.1:1m":                         "clocks to differ by 5m",
		"dynamodb:*:error=0.1":                 `no service "dynamodb"`,
		"sts:Assumerole:error=0.1":             "there is AssumeRole",
		"sts:error=0.1":                        "service:Action",
		"error=0.1,error=0.2":                  "given twice",
		"error=0.6,reset=0.6":                  "all calls add up to 1.2",
		"error=0.6,config:*:reset=0.6":         "config:* add up to 1.2",
		"error=0.6,sts:AssumeRole:expired=0.5": "sts:AssumeRole add up to 1.1",
		"error=0.1,":                           "write a kind and a share",
	}
	for text, want := range bad {
		if _, err := ParseFaults(text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v; want %q", text, err, want)
		}
	}
}

func FuzzParseFaults(f *testing.F) {
	f.Add("throttle=0.1,error=0.02,reset=NaN")
	f.Add("organizations:ListAccounts:error=0.5,config:*:slow=0.02:2s,clock=0.1:-10m")
	f.Fuzz(func(t *testing.T, text string) {
		faults, err := ParseFaults(text)
		if err != nil {
			return
		}
		for _, at := range faults {
			sum := 0.0
			for _, kind := range faultKinds {
				r := faults.rule(kind, at.Service, at.Action)
				if !(r.Share >= 0 && r.Share <= 1) || (kind == FaultSlow && r.Share > 0 && r.By <= 0) {
					t.Errorf("%q gives %+v", text, r)
				}
				if kind != FaultSlow {
					sum += r.Share
				}
			}
			if sum > 1.001 {
				t.Errorf("%q: shares of %v", text, sum)
			}
		}
	})
}

func faulty(t *testing.T, o Options, text string) *Sim {
	t.Helper()
	var err error
	if o.Faults, err = ParseFaults(text); err != nil {
		t.Fatal(err)
	}
	return New(o)
}

func faultConfig(s *Sim, attempts int) aws.Config {
	return aws.Config{
		Region: "us-east-1", HTTPClient: s.Client(), Credentials: credentials.NewStaticCredentialsProvider("AKIAIOSFODNN7EXAMPLE", "secret", ""),
		Retryer: func() aws.Retryer {
			return retry.NewStandard(func(o *retry.StandardOptions) { o.MaxAttempts = attempts })
		},
	}
}

// One caller of each account's tags after another, and many at once, must see the
// same calls fail in the same way.
func TestFaultsDoNotDependOnTheOrderOfCalls(t *testing.T) {
	told := func(seed uint64, concurrent bool) []string {
		s := faulty(t, Options{FaultSeed: seed}, "throttle=0.2,error=0.1,reset=0.1,cut=0.1,expired=0.1,organizations:DescribeAccount:clock=0.2")
		client := organizations.NewFromConfig(faultConfig(s, 1))
		var mu sync.Mutex
		var out []string
		ask := func(id string) {
			for n := range 4 {
				_, err := client.DescribeAccount(t.Context(), &organizations.DescribeAccountInput{AccountId: &id})
				what := "ok"
				var api smithy.APIError
				switch {
				case errors.As(err, &api):
					what = api.ErrorCode()
				case err != nil:
					what = "broken: " + fmt.Sprint(errors.Is(err, errReset))
				}
				mu.Lock()
				out = append(out, fmt.Sprint(id, " ", n, " ", what))
				mu.Unlock()
			}
		}
		var wait sync.WaitGroup
		ids := s.Accounts()
		for i := range ids {
			if concurrent {
				wait.Go(func() { ask(ids[len(ids)-1-i].ID) })
			} else {
				ask(ids[i].ID)
			}
		}
		wait.Wait()
		sort.Strings(out)
		return out
	}
	first := told(7, false)
	if second := told(7, true); strings.Join(first, "\n") != strings.Join(second, "\n") {
		t.Error("concurrent callers had other faults")
	}
	if other := told(8, false); strings.Join(first, "\n") == strings.Join(other, "\n") {
		t.Error("another seed gave the same faults")
	}
	all := strings.Join(first, "\n")
	for _, what := range []string{" ok", " TooManyRequestsException", " ServiceException", " ExpiredTokenException", " InvalidSignatureException", " broken: true", " broken: false"} {
		if !strings.Contains(all, what) {
			t.Errorf("nobody had%s", what)
		}
	}
}

func TestFaultsOverASocket(t *testing.T) {
	call := func(faults string) (*http.Response, error) {
		server := httptest.NewServer(faulty(t, Options{}, faults))
		t.Cleanup(server.Close)
		r, _ := http.NewRequestWithContext(t.Context(), http.MethodPost, server.URL, strings.NewReader("Action=GetCallerIdentity&Version=2011-06-15"))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		r.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential=AKIA/20260101/us-east-1/sts/aws4_request, SignedHeaders=host, Signature=0")
		return server.Client().Do(r)
	}
	if _, err := call("reset=1"); err == nil {
		t.Error("a connection that is to break gave an answer")
	}
	response, err := call("cut=1")
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if !errors.Is(err, io.ErrUnexpectedEOF) || len(body) == 0 || int64(len(body)) >= response.ContentLength {
		t.Errorf("%d of %d bytes, then %v", len(body), response.ContentLength, err)
	}
}

// An SDK sets its clock by the Date of the refusal and tries again.
func TestClockFaultIsCorrected(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := faulty(t, Options{FaultSeed: 3}, "clock=0.5:20m")
		client := sts.NewFromConfig(faultConfig(s, 12))
		for range 8 {
			if _, err := client.GetCallerIdentity(t.Context(), &sts.GetCallerIdentityInput{}); err != nil {
				t.Fatal(err)
			}
		}
		if s.Stats().Faults == 0 {
			t.Error("no clock was wrong: the test tests nothing")
		}
	})
}

func TestSlowAnswers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := faulty(t, Options{}, "sts:*:slow=1:3s")
		config := faultConfig(s, 1)
		began := time.Now()
		if _, err := sts.NewFromConfig(config).GetCallerIdentity(t.Context(), &sts.GetCallerIdentityInput{}); err != nil {
			t.Fatal(err)
		}
		if took := time.Since(began); took != 3*time.Second {
			t.Errorf("took %s", took)
		}
		if _, err := organizations.NewFromConfig(config).DescribeOrganization(t.Context(), &organizations.DescribeOrganizationInput{}); err != nil {
			t.Fatal(err)
		}
		if took := time.Since(began); took != 3*time.Second {
			t.Errorf("another service was slow too: %s", took)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, err := sts.NewFromConfig(config).GetCallerIdentity(ctx, &sts.GetCallerIdentityInput{}); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("a caller who gives up: %v", err)
		}
	})
}
