package reports

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/configservice"
	"github.com/aws/aws-sdk-go-v2/service/configservice/types"

	"rollout/stackset"
)

// recorderFacts are what a place's customer-managed recorder does. The zero
// value is no recorder.
type recorderFacts struct {
	exists, recording bool
	name              string
	group             stackset.RecordingGroup
	daily             []string // resource types recorded once a day; "*" is the default
	stopped, started  time.Time
	lastStatus        types.RecorderStatus
	lastError         string
}

// recorder reads the customer-managed recorder. Service-linked recorders record
// for one AWS service only and feed no rules of ours.
func (r reader) recorder(ctx context.Context) (recorderFacts, error) {
	out, err := r.api.DescribeConfigurationRecorders(ctx, &configservice.DescribeConfigurationRecordersInput{})
	if err != nil {
		return recorderFacts{}, failed("DescribeConfigurationRecorders", err)
	}
	i := slices.IndexFunc(out.ConfigurationRecorders, func(c types.ConfigurationRecorder) bool {
		return aws.ToString(c.ServicePrincipal) == "" && !strings.HasPrefix(aws.ToString(c.Name), "AWSConfigurationRecorder")
	})
	if i < 0 {
		return recorderFacts{}, nil
	}
	found := out.ConfigurationRecorders[i]
	f := recorderFacts{exists: true, name: aws.ToString(found.Name), group: stackset.RecordingGroup{RecordingGroup: found.RecordingGroup}}
	if mode := found.RecordingMode; mode != nil {
		if mode.RecordingFrequency == types.RecordingFrequencyDaily {
			f.daily = append(f.daily, "*")
		}
		for _, o := range mode.RecordingModeOverrides {
			for _, t := range o.ResourceTypes {
				if o.RecordingFrequency == types.RecordingFrequencyDaily {
					f.daily = append(f.daily, string(t))
				}
			}
		}
	}
	status, err := r.api.DescribeConfigurationRecorderStatus(ctx, &configservice.DescribeConfigurationRecorderStatusInput{})
	if err != nil {
		return recorderFacts{}, failed("DescribeConfigurationRecorderStatus", err)
	}
	for _, s := range status.ConfigurationRecordersStatus {
		if aws.ToString(s.Name) != f.name {
			continue
		}
		f.recording, f.lastStatus = s.Recording, s.LastStatus
		f.stopped, f.started = aws.ToTime(s.LastStopTime), aws.ToTime(s.LastStartTime)
		if code := aws.ToString(s.LastErrorCode); code != "" {
			f.lastError = strings.TrimSuffix(code+": "+aws.ToString(s.LastErrorMessage), ": ")
		}
	}
	return f, nil
}

// leftOut gives the resource types that the recorder does not record.
func (f recorderFacts) leftOut(resourceTypes []string) []string {
	return f.group.LeavesOut(resourceTypes)
}

// recordedDaily says whether one of the types is recorded once a day only.
func (f recorderFacts) recordedDaily(resourceTypes []string) bool {
	return slices.ContainsFunc(resourceTypes, func(t string) bool { return slices.Contains(f.daily, t) }) ||
		len(resourceTypes) > 0 && slices.Contains(f.daily, "*")
}

// off says why nothing is recorded, "" while something is.
func (f recorderFacts) off() string {
	if f.recording {
		return ""
	}
	if !f.exists {
		return "there is no configuration recorder"
	}
	text := fmt.Sprintf("the configuration recorder %s is stopped", f.name)
	if !f.stopped.IsZero() {
		text += " since " + moment(f.stopped)
	} else if f.started.IsZero() {
		text = fmt.Sprintf("the configuration recorder %s was never started", f.name)
	}
	if f.lastError != "" {
		text += "; its last error: " + clip(f.lastError)
	}
	return text
}

func moment(t time.Time) string { return t.UTC().Format(time.RFC3339) }
