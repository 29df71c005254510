// Package awsapi is the one place where the AWS SDK is configured: who calls,
// from which Region, through which endpoint and transport, how calls are retried
// and paced, how the roles of other accounts are assumed, and what an error means.
//
// There is one HTTP transport for the whole run. Clients are light: callers make
// one for each account, Region and service with NewFromConfig(entry.Config(region))
// and drop it when that account and Region is done.
package awsapi

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/arn"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/feature/ec2/imds"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/smithy-go/logging"
)

// DefaultRoleNames are the roles tried in other accounts, in order: rollout's own
// read-only role, then the ones AWS Organizations and Control Tower make. Both of
// those trust the management account only.
var DefaultRoleNames = []string{"rollout-reader", "OrganizationAccountAccessRole", "AWSControlTowerExecution"}

// Options says how to reach AWS.
type Options struct {
	// Profile is a shared-config profile, "" for the default chain.
	Profile string
	// HomeRegion is the Region of the StackSets, "" for the SDK's own Region.
	HomeRegion string
	// EndpointURL serves every service, "" for AWS (or AWS_ENDPOINT_URL).
	EndpointURL string
	// Static skips the credential chain and the shared files and signs with
	// placeholders: for the simulation inside the process.
	Static bool
	// RoleNames are tried in order in other accounts (default DefaultRoleNames).
	RoleNames  []string
	ExternalID string
	// Run names this run; role sessions are called rollout-<Run>.
	Run string
	// HTTPClient and Retryer replace the transport and the retryers of clients (tests).
	HTTPClient aws.HTTPClient
	Retryer    func() aws.Retryer
	Log        *slog.Logger
}

// Session is an identity that reaches AWS.
type Session struct {
	// Account is the caller's account id, ARN its identity, Partition the one
	// of that ARN (aws, aws-cn, aws-us-gov, …).
	Account, ARN, Partition string
	HomeRegion              string
	// Endpoint is the endpoint that serves every service, "" for AWS itself.
	Endpoint string

	config aws.Config
	roles  *roleChain
	opts   Options
}

// ErrNoRegion means that neither --home-region nor the SDK's configuration names a Region.
var ErrNoRegion = errors.New("no home Region: neither --home-region, AWS_REGION nor the profile names one")

// Open finds credentials and the home Region and asks STS who they belong to.
func Open(ctx context.Context, o Options) (*Session, error) {
	if len(o.RoleNames) == 0 {
		o.RoleNames = DefaultRoleNames
	}
	cfg, err := load(ctx, o)
	if err != nil {
		return nil, err
	}
	if cfg.Region == "" {
		return nil, ErrNoRegion
	}
	s := &Session{HomeRegion: cfg.Region, Endpoint: aws.ToString(cfg.BaseEndpoint), config: cfg, opts: o}
	out, err := sts.NewFromConfig(cfg).GetCallerIdentity(ctx, &sts.GetCallerIdentityInput{})
	if err != nil {
		return nil, fmt.Errorf("ask STS in %s who the caller is: %w", cfg.Region, err)
	}
	s.Account, s.ARN = aws.ToString(out.Account), aws.ToString(out.Arn)
	parsed, err := arn.Parse(s.ARN)
	if err != nil {
		return nil, fmt.Errorf("STS in %s gave the caller's ARN as %q: %w", cfg.Region, s.ARN, err)
	}
	s.Partition = parsed.Partition
	s.roles = newRoleChain(s)
	return s, nil
}

func load(ctx context.Context, o Options) (aws.Config, error) {
	client := o.HTTPClient
	if client == nil {
		client = newTransport()
	}
	placeholder := credentials.NewStaticCredentialsProvider("ROLLOUTPLACEHOLDER", "placeholder", "")
	retryer := o.Retryer
	if retryer == nil {
		retryer = newRetryer
	}
	if o.Static {
		cfg := aws.Config{Region: o.HomeRegion, Credentials: placeholder, HTTPClient: client, Retryer: retryer, Logger: sdkLog(o.Log)}
		if o.EndpointURL != "" {
			cfg.BaseEndpoint = aws.String(o.EndpointURL)
		}
		return cfg, nil
	}
	options := []func(*config.LoadOptions) error{
		config.WithHTTPClient(client), config.WithRetryer(retryer), config.WithAppID("rollout"), config.WithLogger(sdkLog(o.Log)),
	}
	if o.Profile != "" {
		options = append(options, config.WithSharedConfigProfile(o.Profile))
	}
	if o.HomeRegion != "" {
		options = append(options, config.WithRegion(o.HomeRegion))
	}
	if o.EndpointURL != "" {
		options = append(options, config.WithBaseEndpoint(o.EndpointURL))
	}
	if Loopback(o.EndpointURL) {
		// Nothing on this machine answers as EC2's metadata service would, and
		// waiting for it would hold up every rehearsal.
		options = append(options, config.WithEC2IMDSClientEnableState(imds.ClientDisabled))
	}
	cfg, err := config.LoadDefaultConfig(ctx, options...)
	if err != nil {
		return cfg, fmt.Errorf("load the AWS configuration: %w", err)
	}
	if o.EndpointURL == "" && cfg.BaseEndpoint != nil {
		o.EndpointURL = *cfg.BaseEndpoint
	}
	if _, err := cfg.Credentials.Retrieve(ctx); err != nil && Loopback(o.EndpointURL) {
		cfg.Credentials = placeholder
	}
	return cfg, nil
}

// sdkLog passes what the SDK says of its own workings to the log, at debug level:
// its warnings are about connections, not about anything that a user can mend.
func sdkLog(log *slog.Logger) logging.Logger {
	return logging.LoggerFunc(func(_ logging.Classification, format string, v ...any) {
		if log != nil {
			log.Debug(fmt.Sprintf(format, v...), "from", "aws sdk")
		}
	})
}

// newTransport is the one HTTP client of a run. The SDK's own client is kept so
// that AWS_CA_BUNDLE and proxies work as everywhere.
func newTransport() aws.HTTPClient {
	return awshttp.NewBuildableClient().WithTransportOptions(func(t *http.Transport) {
		t.MaxIdleConns = 512
		t.MaxIdleConnsPerHost = 64
		t.ResponseHeaderTimeout = time.Minute
	})
}

// Loopback says whether a URL points at this machine.
func Loopback(endpoint string) bool {
	u, err := url.Parse(endpoint)
	if err != nil || u.Host == "" {
		return false
	}
	host := u.Hostname()
	if strings.EqualFold(host, "localhost") {
		return true
	}
	ip := net.ParseIP(host)
	return ip != nil && ip.IsLoopback()
}

// Own is the caller's own configuration in a Region, "" for the home Region.
func (s *Session) Own(region string) aws.Config {
	cfg := s.config.Copy()
	if region != "" {
		cfg.Region = region
	}
	return cfg
}

// SessionName is the role session name that CloudTrail shows for this run.
func (s *Session) SessionName() string { return sessionName(s.opts.Run) }

func sessionName(run string) string {
	name := "rollout"
	if run != "" {
		name += "-" + run
	}
	return name[:min(len(name), 64)]
}
