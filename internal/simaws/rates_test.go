package simaws

import (
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/organizations"
	"github.com/aws/aws-sdk-go-v2/service/sts"
)

func TestParseRates(t *testing.T) {
	got, err := ParseRates("cloudformation:DescribeStackSet=2/s:5, config:*=0.5/s")
	if err != nil || got["cloudformation:DescribeStackSet"] != (Rate{2, 5}) || got["config:*"] != (Rate{0.5, 1}) || len(got) != 2 {
		t.Errorf("%v, %v", got, err)
	}
	for text, want := range map[string]string{
		"config=1/s": "write a rate like", "config:*": "write a rate like", "nope:*=1/s": "no service", "sts:assumerole=1/s": "there is AssumeRole",
		"config:*=1": "not a rate", "config:*=0/s": "not a rate", "config:*=NaN/s": "not a rate", "config:*=1/s:0": "not a burst", "sts:*=1/s,sts:*=2/s": "given twice",
	} {
		if _, err := ParseRates(text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v; want %q", text, err, want)
		}
	}
}

func FuzzParseRates(f *testing.F) {
	f.Add("cloudformation:DescribeStackSet=2/s:5,config:*=NaN/s")
	f.Fuzz(func(t *testing.T, text string) {
		rates, err := ParseRates(text)
		for name, r := range rates {
			if err != nil || !(r.PerSecond > 0) || !(r.Burst >= 1) {
				t.Errorf("%q gives %s %v", text, name, r)
			}
		}
	})
}

func TestRatesTakeThePlaceOfOurs(t *testing.T) {
	now := time.Now()
	s := New(Options{Rates: Rates{"sts:GetCallerIdentity": {1, 2}}, Now: func() time.Time { return now }})
	config := faultConfig(s, 1)
	ask := func() bool {
		_, err := sts.NewFromConfig(config).GetCallerIdentity(t.Context(), &sts.GetCallerIdentityInput{})
		return err == nil
	}
	for n, want := range []bool{true, true, false} {
		if ask() != want {
			t.Errorf("call %d of those at once: %v, want %v", n+1, !want, want)
		}
	}
	now = now.Add(time.Second)
	for n, want := range []bool{true, false} {
		if ask() != want {
			t.Errorf("call %d a second later: %v, want %v", n+1, !want, want)
		}
	}
	for range 20 { // Throttle is off
		if _, err := organizations.NewFromConfig(config).DescribeOrganization(t.Context(), &organizations.DescribeOrganizationInput{}); err != nil {
			t.Fatal(err)
		}
	}
}
