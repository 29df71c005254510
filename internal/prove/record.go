package prove

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsmiddleware "github.com/aws/aws-sdk-go-v2/aws/middleware"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/smithy-go"
	"github.com/aws/smithy-go/middleware"
)

// Call is one call and its answer.
type Call struct {
	Service   string `json:"service"`
	Operation string `json:"operation"`
	RequestID string `json:"request_id"`
	// Status is the HTTP status, 0 when no answer came.
	Status  int    `json:"http_status"`
	Code    string `json:"error_code"`
	Message string `json:"message"`
}

// String is how a person reads it: "409 OperationInProgressException: Another …".
func (c Call) String() string {
	switch {
	case c.Code == "" && c.Message == "":
		return fmt.Sprintf("%d", c.Status)
	case c.Code == "":
		return c.Message
	case c.Message == "":
		return fmt.Sprintf("%d %s", c.Status, c.Code)
	}
	return fmt.Sprintf("%d %s: %s", c.Status, c.Code, c.Message)
}

// recorder keeps what the calls of a scenario were answered. A call that was
// retried counts once, with its last answer.
type recorder struct {
	mu    sync.Mutex
	calls []Call
}

// last gives the newest call: the one that decides.
func (r *recorder) last() []Call {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.calls) == 0 {
		return nil
	}
	return []Call{r.calls[len(r.calls)-1]}
}

// of gives the call that ended with an error, the newest where it has no id.
func (r *recorder) of(err error) []Call {
	id := answer(err).RequestID
	r.mu.Lock()
	i := slices.IndexFunc(r.calls, func(c Call) bool { return id != "" && c.RequestID == id })
	r.mu.Unlock()
	if i < 0 {
		return r.last()
	}
	return []Call{r.calls[i]}
}

// watch adds the recorder to a configuration.
func (r *recorder) watch(cfg aws.Config) aws.Config {
	cfg = cfg.Copy()
	cfg.APIOptions = append(cfg.APIOptions, func(stack *middleware.Stack) error {
		// After: the SDK's own middleware has put the operation's name in the
		// context by then.
		return stack.Initialize.Add(middleware.InitializeMiddlewareFunc("rollout.Record", r.record), middleware.After)
	})
	return cfg
}

func (r *recorder) record(ctx context.Context, in middleware.InitializeInput, next middleware.InitializeHandler) (middleware.InitializeOutput, middleware.Metadata, error) {
	out, metadata, err := next.HandleInitialize(ctx, in)
	c := Call{Service: awsmiddleware.GetServiceID(ctx), Operation: awsmiddleware.GetOperationName(ctx)}
	c.RequestID, _ = awsmiddleware.GetRequestIDMetadata(metadata)
	if response, ok := awsmiddleware.GetRawResponse(metadata).(interface{ HTTPStatus() int }); ok {
		c.Status = response.HTTPStatus()
	}
	if err == nil && c.Status == 0 {
		c.Status = http.StatusOK
	}
	describe(&c, err)
	r.mu.Lock()
	r.calls = append(r.calls, c)
	r.mu.Unlock()
	return out, metadata, err
}

// describe adds what an error says.
func describe(c *Call, err error) {
	if err == nil {
		return
	}
	var response *awshttp.ResponseError
	if errors.As(err, &response) {
		c.Status = response.HTTPStatusCode()
		if id := response.ServiceRequestID(); id != "" {
			c.RequestID = id
		}
	}
	var api smithy.APIError
	if errors.As(err, &api) {
		c.Code, c.Message = api.ErrorCode(), strings.Join(strings.Fields(api.ErrorMessage()), " ")
		return
	}
	c.Message = strings.Join(strings.Fields(err.Error()), " ")
}

// answer is how an error was answered; the zero Call when it is nil.
func answer(err error) Call {
	var c Call
	describe(&c, err)
	return c
}
