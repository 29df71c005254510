package stackset_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"maps"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"rollout/internal/awsapi"
	"rollout/orgs"
	"rollout/stackset"
	"rollout/templates"
)

// previously sends the bodies of an earlier release in place of the catalog's, as that
// release did: with its digest, and without parameters that it did not know.
type previously struct {
	aws.HTTPClient
	t      *testing.T
	bodies map[string][]byte // by the body that stands in the catalog
	sent   map[string]bool
}

func (p previously) Do(r *http.Request) (*http.Response, error) {
	if r.Body == nil {
		return p.HTTPClient.Do(r)
	}
	text, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	form, err := url.ParseQuery(string(text))
	if old := p.bodies[form.Get("TemplateBody")]; err == nil && form.Get("Action") == "CreateStackSet" && old != nil {
		p.sent[form.Get("StackSetName")] = true
		p.rewrite(form, old)
		text = []byte(form.Encode())
	}
	r.Body, r.ContentLength = io.NopCloser(bytes.NewReader(text)), int64(len(text))
	return p.HTTPClient.Do(r)
}

func (p previously) rewrite(form url.Values, old []byte) {
	doc, err := templates.Parse(old)
	if err != nil {
		p.t.Fatal(err)
	}
	form.Set("TemplateBody", string(old))
	const parameters, tags = "Parameters.member.", "Tags.member."
	kept := url.Values{}
	for i, n := 1, 1; form.Has(parameters + strconv.Itoa(i) + ".ParameterKey"); i++ {
		from, to := parameters+strconv.Itoa(i), parameters+strconv.Itoa(n)
		key, value := form.Get(from+".ParameterKey"), form.Get(from+".ParameterValue")
		form.Del(from + ".ParameterKey")
		form.Del(from + ".ParameterValue")
		if _, known := doc.Parameters[key]; known {
			kept.Set(to+".ParameterKey", key)
			kept.Set(to+".ParameterValue", value)
			n++
		}
	}
	maps.Copy(form, kept)
	for i := 1; form.Has(tags + strconv.Itoa(i) + ".Key"); i++ {
		if form.Get(tags+strconv.Itoa(i)+".Key") == stackset.TagSHA256 {
			sum := sha256.Sum256(old)
			form.Set(tags+strconv.Itoa(i)+".Value", hex.EncodeToString(sum[:]))
		}
	}
}

// earlier are the releases whose bodies are kept, with the files of each.
func earlier(t *testing.T) map[string][]string {
	t.Helper()
	files, err := filepath.Glob("../templates/testdata/previous/*/*.yaml")
	if err != nil || len(files) == 0 {
		t.Fatalf("%d files, %v", len(files), err)
	}
	out := map[string][]string{}
	for _, file := range files {
		release := filepath.Base(filepath.Dir(file))
		out[release] = append(out[release], file)
	}
	return out
}

// What an earlier release deployed becomes what this one would have: no rule and no
// recorder is made anew, a remediation stays in its mode, nothing else is touched, and
// then it goes away as if it had never been another.
func TestUpdatesFromPreviousReleases(t *testing.T) {
	longWay(t)
	for release, files := range earlier(t) {
		for _, mode := range []stackset.Remediation{stackset.RemediationManual, stackset.RemediationAutomatic} {
			t.Run(release+"/"+string(mode), func(t *testing.T) {
				t.Parallel()
				synctest.Test(t, func(t *testing.T) { updated(t, mode, files) })
			})
		}
	}
}

func updated(t *testing.T, mode stackset.Remediation, files []string) {
	asked := slices.DeleteFunc(templates.All(), func(t templates.Template) bool { return t.Enforces != "" || t.Scope == templates.ScopeSingle })
	regions := []string{home, west, optIn}
	e := newEstate(t)
	// rollout-reader lets a second run into the account without a role, and no first one.
	accounts := slices.DeleteFunc(slices.Clone(e.tree.Accounts), func(a *orgs.Account) bool { return a.Name == "no role" })
	d := e.desired(asked, mode, accounts, regions...)
	own := e.held(accounts)
	sent := e.deployPrevious(d, files)
	time.Sleep(6 * time.Hour) // what is automatic has run
	before := e.held(accounts)

	p := e.plan(d)
	for _, s := range p.Sets {
		if sent[s.Name] != (s.Outdated != "") {
			t.Errorf("an earlier body of %s was deployed: %v; the plan says %q", s.Name, sent[s.Name], s.Outdated)
		}
	}
	for _, o := range e.apply(p).Outcomes {
		if o.Status != stackset.OutcomeSucceeded && e.kind(o.AccountID) != "rules denied" {
			t.Errorf("%s %s of %s: %s: %s", o.Action, o.StackSet, e.place(o.Target), o.Status, o.Reason)
		}
	}
	after := e.held(accounts)
	e.untouched("updated", own, after)
	for at, things := range before {
		for _, was := range things {
			switch is := find(after[at], was.Type, was.Name); {
			case was.ID == "" || generated(was.Name):
			case is == nil:
				t.Errorf("%s %s of %s %s went with the update", was.Type, was.Name, e.kind(at.account), at.region)
			case is.ID != was.ID:
				t.Errorf("%s %s of %s %s was made anew by the update", was.Type, was.Name, e.kind(at.account), at.region)
			case was.Type == "AWS::Config::RemediationConfiguration" && strings.Contains(was.Is, `"automatic":true`) != strings.Contains(is.Is, `"automatic":true`):
				t.Errorf("the remediation %s of %s %s is in another mode", was.Name, e.kind(at.account), at.region)
			}
		}
	}
	fresh := newEstate(t)
	if sent["rollout-recording"] { // it recorded all types, and goes on doing so
		d.Parameters = map[string]string{templates.ParameterRecordedTypes: templates.RecordAll}
	}
	fresh.apply(fresh.plan(d))
	e.same("updated, against deployed anew,", fresh.held(accounts).plainly(true), after.plainly(true))

	e.remove(asked, accounts)
	left := e.held(accounts)
	e.untouched("removed", own, left)
	e.retained(after, left.beyond(own))
	e.deploy("deployed again", d, left)
}

// deployPrevious deploys with the bodies of an earlier release, and says of which sets.
func (e *estate) deployPrevious(d stackset.Desired, files []string) map[string]bool {
	e.t.Helper()
	client := previously{HTTPClient: e.sim.Client(), t: e.t, bodies: map[string][]byte{}, sent: map[string]bool{}}
	for _, file := range files {
		old, err := os.ReadFile(file)
		if err != nil {
			e.t.Fatal(err)
		}
		now, err := templates.Lookup(strings.TrimSuffix(filepath.Base(file), ".yaml"))
		if err != nil {
			e.t.Fatal(err)
		}
		if bytes.Equal(now.Body(), old) {
			e.t.Fatalf("%s is the body of today: it need not be kept", file)
		}
		client.bodies[string(now.Body())] = old
	}
	today := e.session
	defer func() { e.session = today }()
	var err error
	if e.session, err = awsapi.Open(e.t.Context(), awsapi.Options{Static: true, HomeRegion: home, EndpointURL: "http://127.0.0.1", HTTPClient: client, Run: "before"}); err != nil {
		e.t.Fatal(err)
	}
	e.apply(e.plan(d))
	if len(client.sent) != len(files) {
		e.t.Fatalf("of %d earlier bodies %v were deployed", len(files), client.sent)
	}
	return client.sent
}
