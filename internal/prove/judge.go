package prove

import (
	"strings"

	"rollout/internal/awsapi"
)

// refused gives a claim its verdict by the error that a call must end with; status
// 0 is any.
func (t *trial) refused(name string, err error, status int, code string) bool {
	got := answer(err)
	if err == nil {
		t.holds(name, false, "the call was accepted")
		return false
	}
	if unanswered(err) && got.Code != code {
		t.fail(name, got)
		return false
	}
	ok := got.Code == code && (status == 0 || got.Status == status)
	t.add(name, verdict(ok), got.String(), t.rec.of(err))
	return ok
}

// failed gives a claim its verdict by an error that should not have come: refuted when
// AWS refuses what the claim says it takes, not tried when the error says nothing of it.
func (t *trial) failed(name string, err error) {
	if unanswered(err) {
		t.fail(name, answer(err))
		return
	}
	t.add(name, Refuted, answer(err).String(), t.rec.of(err))
}

// says gives a claim its verdict by what a refusal reads like: the parts, in order.
func (t *trial) says(name string, err error, parts ...string) {
	got := answer(err)
	switch {
	case err == nil:
		t.holds(name, false, "the call was accepted")
		return
	case unanswered(err):
		t.fail(name, got)
		return
	}
	t.add(name, verdict(reads(got.Message, parts...)), got.String(), t.rec.of(err))
}

// reads says whether a text has the parts in this order.
func reads(text string, parts ...string) bool {
	at := 0
	for _, p := range parts {
		i := strings.Index(text[at:], p)
		if i < 0 {
			return false
		}
		at += i + len(p)
	}
	return true
}

// refusedSaying is a refusal with this status, code and text.
func (t *trial) refusedSaying(name string, err error, status int, code string, parts ...string) {
	got := answer(err)
	if got.Status == status && got.Code == code {
		t.add(name, verdict(reads(got.Message, parts...)), got.String(), t.rec.of(err))
		return
	}
	t.refused(name, err, status, code)
}

// unanswered says whether an error says nothing about the claim: no answer came, the
// caller may not ask, or was asked to slow down.
func unanswered(err error) bool {
	switch awsapi.Classify(err) {
	case awsapi.ClassUnreachable, awsapi.ClassThrottled, awsapi.ClassNoCredentials:
		return true
	}
	code := answer(err).Code
	return code == "AccessDenied" || code == "AccessDeniedException"
}

// fail leaves a claim untried because something went wrong.
func (t *trial) fail(name string, got Call) {
	t.skip(name, "the call failed: %s", got)
	t.report.result(name).Failed = true
}
