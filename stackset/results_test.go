package stackset

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"rollout/internal/simaws"
)

// tampered is a server that answers differently from the simulation.
type tampered struct {
	aws.HTTPClient
	site *site
}

// answer gets each answer of CloudFormation before the run does.
type answer func(action string, status int, body string) (int, string)

func (c tampered) Do(r *http.Request) (*http.Response, error) {
	var form url.Values
	if r.Body != nil {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return nil, err
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
		form, _ = url.ParseQuery(string(body))
	}
	out, err := c.HTTPClient.Do(r)
	if err != nil || c.site.answer == nil || !strings.Contains(r.Header.Get("Authorization"), "/cloudformation/") {
		return out, err
	}
	body, err := io.ReadAll(out.Body)
	if err != nil {
		return nil, err
	}
	status, text := c.site.answer(form.Get("Action"), out.StatusCode, string(body))
	if err := r.Context().Err(); err != nil { // it took too long
		return nil, err
	}
	out.StatusCode, out.ContentLength, out.Body = status, int64(len(text)), io.NopCloser(strings.NewReader(text))
	out.Header.Del("Content-Length")
	return out, nil
}

func queryError(code, message string) string {
	return `<ErrorResponse xmlns="http://cloudformation.amazonaws.com/doc/2010-05-15/"><Error><Type>Sender</Type><Code>` + code + `</Code><Message>` + message + `</Message></Error><RequestId>x</RequestId></ErrorResponse>`
}

var member = regexp.MustCompile(`(?s)<member>.*?</member>`)

// What a list of results leaves out is looked for again, then at the instances.
func TestResultsThatAreMissing(t *testing.T) {
	for name, test := range map[string]struct {
		late int // how many lists after the end are empty; -1 all
		most time.Duration
	}{"late": {2, 5 * time.Second}, "never": {-1, 5 * time.Second}} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newSite(t, 3, simaws.Options{})
				s.d.Preferences.FailureTolerance = "100%"
				bad := s.d.Accounts[1].ID
				s.sim.DenyAction(bad, "s3:CreateBucket")
				plan := s.deployment(s.sets())
				lists := 0
				s.answer = func(action string, status int, body string) (int, string) {
					if action == "ListStackSetOperationResults" {
						if lists++; test.late < 0 || lists <= test.late {
							body = member.ReplaceAllString(body, "")
						}
					}
					return status, body
				}
				result := s.apply(t.Context(), plan)
				wantTally(t, result, map[string]int{
					"recording-base create SUCCEEDED": 2, "recording-base create FAILED": 1, "recording create SUCCEEDED": 4, "recording create SKIPPED": 2,
					"default-security-group create SUCCEEDED": 4, "default-security-group create SKIPPED": 2,
				})
				for _, o := range result.Outcomes {
					if o.Status == OutcomeFailed && (o.AccountID != bad || o.Reason == "") {
						t.Errorf("%+v", o)
					}
				}
			})
		})
	}
}

// The id that a server answers with is the one to watch (moto makes its own).
func TestTheServersOperationID(t *testing.T) {
	inSim(t, 1, func(t *testing.T, s *site) {
		var sent []string
		s.answer = func(action string, status int, body string) (int, string) {
			if action == "CreateStackInstances" {
				id := regexp.MustCompile(`<OperationId>(.*)</OperationId>`).FindStringSubmatch(body)
				sent = append(sent, id[1])
				body = strings.Replace(body, id[1], "its-own", 1)
			}
			if strings.HasPrefix(action, "DescribeStackSetOperation") && status != http.StatusOK && strings.Contains(body, "its-own") {
				return http.StatusOK, `<DescribeStackSetOperationResponse xmlns="http://cloudformation.amazonaws.com/doc/2010-05-15/"><DescribeStackSetOperationResult><StackSetOperation><OperationId>its-own</OperationId><Action>CREATE</Action><Status>SUCCEEDED</Status></StackSetOperation></DescribeStackSetOperationResult></DescribeStackSetOperationResponse>`
			}
			if action == "ListStackSetOperationResults" && status != http.StatusOK {
				return http.StatusOK, `<ListStackSetOperationResultsResponse xmlns="http://cloudformation.amazonaws.com/doc/2010-05-15/"><ListStackSetOperationResultsResult><Summaries></Summaries></ListStackSetOperationResultsResult></ListStackSetOperationResultsResponse>`
			}
			return status, body
		}
		plan := s.deployment(s.sets())
		plan.Changes = plan.Changes[:1]
		result := s.apply(t.Context(), plan)
		if o := result.Outcomes[0]; o.Operation != "its-own" || len(sent) != 1 {
			t.Errorf("%+v, asked with %v", o, sent)
		}
	})
}

// A lost answer: the call is made again and StackSets says that it knows the id.
func TestAnAnswerThatWasLost(t *testing.T) {
	inSim(t, 2, func(t *testing.T, s *site) {
		lost := map[string]bool{}
		s.answer = func(action string, status int, body string) (int, string) {
			if (action == "CreateStackInstances" || action == "CreateStackSet") && !lost[action] {
				lost[action] = true
				return http.StatusInternalServerError, queryError("InternalFailure", "lost")
			}
			return status, body
		}
		result := s.apply(t.Context(), s.deployment(s.sets()))
		wantTally(t, result, map[string]int{"recording-base create SUCCEEDED": 2, "recording create SUCCEEDED": 4, "default-security-group create SUCCEEDED": 4})
		if w := s.writes(); w["CreateStackInstances"] != 4 || len(result.Operations) != 3 {
			t.Errorf("writes %v, operations %d", w, len(result.Operations))
		}
	})
}

// An operation that can no longer be watched is an error that names it, and its
// instances are not said to have failed.
func TestAnOperationThatCannotBeWatched(t *testing.T) {
	for name, test := range map[string]struct {
		status int
		change func(body string) string
		want   string
	}{
		"unknown status": {http.StatusOK, func(body string) string {
			return regexp.MustCompile(`<Status>\w+</Status>`).ReplaceAllString(body, "<Status>DREAMING</Status>")
		}, `unknown status "DREAMING"`},
		"denied": {http.StatusForbidden, func(string) string {
			return queryError("AccessDenied", "not authorized to perform cloudformation:DescribeStackSetOperation")
		}, "not authorized to perform"},
		"nothing": {http.StatusOK, func(string) string {
			return `<DescribeStackSetOperationResponse xmlns="http://cloudformation.amazonaws.com/doc/2010-05-15/"><DescribeStackSetOperationResult></DescribeStackSetOperationResult></DescribeStackSetOperationResponse>`
		}, "describes nothing"},
	} {
		t.Run(name, func(t *testing.T) {
			inSim(t, 1, func(t *testing.T, s *site) {
				s.answer = func(action string, status int, body string) (int, string) {
					if action == "DescribeStackSetOperation" {
						return test.status, test.change(body)
					}
					return status, body
				}
				result, err := s.try(t.Context(), s.deployment(s.sets()))
				if err == nil || !strings.Contains(err.Error(), test.want) || !strings.Contains(err.Error(), "rollout-recording-base") {
					t.Errorf("error %v", err)
				}
				wantTally(t, result, map[string]int{"recording-base create RUNNING": 1, "recording create NOT_STARTED": 2, "default-security-group create NOT_STARTED": 2})
				if result.Interrupted || len(result.Operations) != 1 {
					t.Errorf("%+v", result)
				}
			})
		})
	}
}

// A call that AWS refuses is an error with what was tried, and what runs already is
// waited for.
func TestACallThatIsRefused(t *testing.T) {
	inSim(t, 2, func(t *testing.T, s *site) {
		s.bases()
		calls := 0
		s.answer = func(action string, status int, body string) (int, string) {
			if action == "CreateStackInstances" {
				if calls++; calls == 2 {
					return http.StatusBadRequest, queryError("InvalidOperationException", "The operation is not valid")
				}
			}
			return status, body
		}
		// Two operations, since the Regions differ.
		name := "rollout-recording"
		plan := s.only(s.sets(), s.change(name, s.d.Accounts[0], home, Create), s.change(name, s.d.Accounts[1], home, Create), s.change(name, s.d.Accounts[1], other, Create))
		result, err := s.try(t.Context(), plan)
		if err == nil || !strings.Contains(err.Error(), "create 2 stack instances of stack set rollout-recording (eu-west-1, us-east-1) in us-east-1") || !strings.Contains(err.Error(), "is not valid") {
			t.Errorf("error %v", err)
		}
		wantTally(t, result, map[string]int{"recording create SUCCEEDED": 1, "recording create NOT_STARTED": 2})
	})
}

// `No updates are to be performed.` is no failure, however StackSets puts it.
func TestAnUpdateThatChangesNothing(t *testing.T) {
	inSim(t, 2, func(t *testing.T, s *site) {
		s.bases()
		s.answer = func(action string, status int, body string) (int, string) {
			if action == "ListStackSetOperationResults" {
				body = strings.ReplaceAll(body, "<Status>SUCCEEDED</Status>", "<Status>FAILED</Status>")
			}
			return status, body
		}
		name := "rollout-recording-base"
		result := s.apply(t.Context(), s.only(s.sets(), s.change(name, s.d.Accounts[0], home, Update)))
		wantTally(t, result, map[string]int{"recording-base update SUCCEEDED": 1})
		if result.Operations[0].Failed != 0 || slices.ContainsFunc(s.told(), func(e string) bool { return strings.HasPrefix(e, "failed") }) {
			t.Errorf("%+v, %v", result.Operations, s.told())
		}
	})
}

// A run that stops while results are read says so of what it had not read.
func TestStoppedWhileResultsAreRead(t *testing.T) {
	inSim(t, 1, func(t *testing.T, s *site) {
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		ended := false
		s.answer = func(action string, status int, body string) (int, string) {
			switch {
			case action == "DescribeStackSetOperation":
				ended = strings.Contains(body, "<Status>SUCCEEDED</Status>")
			case action == "ListStackSetOperationResults" && ended:
				cancel()
				body = member.ReplaceAllString(body, "")
			}
			return status, body
		}
		result := s.apply(ctx, s.deployment(s.sets()))
		wantTally(t, result, map[string]int{"recording-base create RUNNING": 1, "recording create NOT_STARTED": 2, "default-security-group create NOT_STARTED": 2})
		if !result.Interrupted {
			t.Error("not interrupted")
		}
	})
}

// What the results leave open is read off the instance.
func TestFromInstance(t *testing.T) {
	place := Target{"111111111111", home}
	for name, test := range map[string]struct {
		action         Action
		instance       *Instance
		status, reason string
		unsettled      bool
	}{
		"made":                {Create, &Instance{Status: "CURRENT", DetailedStatus: "SUCCEEDED", LastOperation: "op"}, OutcomeSucceeded, "", false},
		"made, not detailed":  {Update, &Instance{Status: "CURRENT"}, OutcomeSucceeded, "", false},
		"by an older one":     {Update, &Instance{Status: "CURRENT", DetailedStatus: "SUCCEEDED", LastOperation: "older"}, OutcomeSucceeded, "", true},
		"not made":            {Create, nil, OutcomeFailed, "the operation ended SUCCEEDED, with neither a result nor an instance", true},
		"under way":           {Create, &Instance{Status: "OUTDATED", DetailedStatus: "RUNNING"}, OutcomeFailed, "the instance is OUTDATED, RUNNING", true},
		"failed":              {Update, &Instance{Status: "OUTDATED", DetailedStatus: "FAILED", Reason: "no", LastOperation: "op"}, OutcomeFailed, "no", false},
		"cancelled":           {Create, &Instance{Status: "OUTDATED", DetailedStatus: "CANCELLED", Reason: "tolerance"}, OutcomeCancelled, "tolerance", false},
		"suspended":           {Create, &Instance{Status: "OUTDATED", DetailedStatus: "SKIPPED_SUSPENDED_ACCOUNT"}, OutcomeSkipped, "the account is suspended", false},
		"gone":                {Delete, nil, OutcomeSucceeded, "", false},
		"let go":              {Recreate, nil, OutcomeSucceeded, "", false},
		"still there":         {Delete, &Instance{Status: "CURRENT", DetailedStatus: "SUCCEEDED"}, OutcomeFailed, "the instance is still there: CURRENT, SUCCEEDED", true},
		"could not be delete": {Delete, &Instance{Status: "INOPERABLE", DetailedStatus: "INOPERABLE", Reason: "in use"}, OutcomeFailed, "in use", false},
	} {
		t.Run(name, func(t *testing.T) {
			instances := map[Target]Instance{}
			if test.instance != nil {
				instances[place] = *test.instance
			}
			c := Change{Target: place, Action: test.action}
			status, reason := fromInstance(c, instances, "SUCCEEDED")
			if status != test.status || reason != test.reason || unsettled(c, instances, "op") != test.unsettled {
				t.Errorf("%s: %q, unsettled %t", status, reason, unsettled(c, instances, "op"))
			}
		})
	}
}
