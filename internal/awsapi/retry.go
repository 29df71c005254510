package awsapi

import (
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/ratelimit"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
)

// Attempts is how often a call is tried.
const Attempts = 10

// newRetryer gives each client its own adaptive retryer: it slows down after the
// first throttle and never gives up for want of retry tokens, which the SDK's
// standard retryer does when many calls share a client
// (aws/aws-sdk-go-v2#3413).
func newRetryer() aws.Retryer {
	return retry.NewAdaptiveMode(func(o *retry.AdaptiveModeOptions) {
		o.StandardOptions = append(o.StandardOptions, func(so *retry.StandardOptions) {
			so.MaxAttempts = Attempts
			so.RateLimiter = ratelimit.None
			so.Retryables = append([]retry.IsErrorRetryable{retry.IsErrorRetryableFunc(retryable)}, so.Retryables...)
		})
	})
}

// retryable corrects the SDK's view of two codes: LimitExceededException is a
// quota that is used up, not a rate (the SDK takes it for a throttle), and
// Organizations' ConcurrentModificationException passes by itself.
func retryable(err error) aws.Ternary {
	switch Code(err) {
	case "LimitExceededException":
		return aws.FalseTernary
	case "ConcurrentModificationException":
		return aws.TrueTernary
	}
	return aws.UnknownTernary
}
