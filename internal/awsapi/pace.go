package awsapi

import (
	"context"
	"fmt"

	awsmiddleware "github.com/aws/aws-sdk-go-v2/aws/middleware"
	"github.com/aws/smithy-go/middleware"
	"golang.org/x/time/rate"
)

// Pace holds one limiter for each API (operation name), shared by the clients
// that are given it. Operations without a limiter are not held back.
type Pace map[string]*rate.Limiter

// Limit gives a limiter at four fifths of a published rate, so that other users
// of the account keep some of it.
func Limit(perSecond float64, burst int) *rate.Limiter {
	return rate.NewLimiter(rate.Limit(perSecond*0.8), max(1, burst*4/5))
}

// Apply makes an SDK client wait for its limiter before every attempt, retries
// included. It is given as options.APIOptions = append(…, pace.Apply).
func (p Pace) Apply(stack *middleware.Stack) error {
	return stack.Finalize.Insert(middleware.FinalizeMiddlewareFunc("RolloutPace",
		func(ctx context.Context, in middleware.FinalizeInput, next middleware.FinalizeHandler) (middleware.FinalizeOutput, middleware.Metadata, error) {
			if limiter := p[awsmiddleware.GetOperationName(ctx)]; limiter != nil {
				if err := limiter.Wait(ctx); err != nil {
					return middleware.FinalizeOutput{}, middleware.Metadata{}, fmt.Errorf("wait for the request rate of %s: %w", awsmiddleware.GetOperationName(ctx), err)
				}
			}
			return next.HandleFinalize(ctx, in)
		}), "Retry", middleware.After)
}
