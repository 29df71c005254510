package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"rollout/internal/awsapi"
	"rollout/internal/blast"
	"rollout/internal/simaws"
	"rollout/internal/terminal"
)

// job is one command under way: its options, where it writes, and AWS.
type job struct {
	options
	streams streams
	out     *terminal.Out // standard error, for people
	log     *slog.Logger

	session   *awsapi.Session
	simulated bool   // nothing real can be changed
	simURL    string // the simulator's URL, "" when it is AWS
	sim       *simaws.Sim
	radius    *blast.Radius // what enforcement would change, nil where it was not read
	withheld  int           // places that automatic remediation stays out of
	close     func()
}

// simSpeed makes the README's command end within a minute: a StackSet operation of
// two minutes takes two seconds.
const simSpeed = 60

// transport replaces the HTTP client of a run; tests hand in a simulation without a socket.
var transport aws.HTTPClient

// simLag is how far the simulated lists of operations and their results are behind,
// as CloudFormation's may be.
const simLag = 3 * time.Second

func newJob(s streams, o options) *job {
	j := &job{options: o, streams: s, close: func() {}}
	j.out = terminal.New(s.err, terminal.Options{NoColor: o.NoColor, Quiet: o.Quiet})
	j.log = slog.New(slog.NewTextHandler(s.err, &slog.HandlerOptions{Level: o.LogLevel}))
	return j
}

// open starts the simulation where one is asked for, finds out who calls, and
// whether a simulation answers.
func (j *job) open(ctx context.Context) error {
	o := awsapi.Options{
		Profile: j.Profile, HomeRegion: j.HomeRegion, EndpointURL: j.EndpointURL,
		RoleNames: j.RoleNames, ExternalID: j.ExternalID, Run: j.Run, HTTPClient: transport, Log: j.log,
	}
	if j.Sim {
		if o.HomeRegion == "" {
			o.HomeRegion = "us-east-1"
		}
		url, err := j.startSimulation(o.HomeRegion)
		if err != nil {
			return err
		}
		o.EndpointURL, o.Static, o.Profile = url, true, ""
		j.simulated, j.simURL = true, url
		j.out.Line("simulated organization: nothing outside this program is read or changed")
	} else if awsapi.Loopback(j.EndpointURL) {
		if isSimulator(ctx, j.EndpointURL) {
			j.simulated, j.simURL = true, strings.TrimSuffix(j.EndpointURL, "/")
		}
		j.simulated = j.simulated || j.Simulated
	} else if j.Simulated {
		return usageError{"--simulated is for an endpoint on this machine (--endpoint-url http://127.0.0.1:…); without one the calls go to AWS"}
	}
	if j.Org != "" && !j.Sim {
		return usageError{"--org describes an organization to simulate; use it with --sim or rollout simulate"}
	}
	if j.SimTruth != "" && j.simURL == "" {
		return usageError{"--sim-truth asks a simulation for its own truth; use it with --sim or with the URL of rollout simulate"}
	}
	session, err := awsapi.Open(ctx, o)
	if err != nil {
		if o.HomeRegion != "" && !awsapi.Known(o.HomeRegion) && ctx.Err() == nil {
			return fmt.Errorf("--home-region %q: this version knows no such Region: %w", o.HomeRegion, err)
		}
		return err
	}
	j.session = session
	return nil
}

// startSimulation serves a simulated organization on a loopback port.
func (j *job) startSimulation(home string) (string, error) {
	organization, err := readOrganization(j.Org)
	if err != nil {
		return "", err
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", fmt.Errorf("open a loopback port for the simulated organization: %w", err)
	}
	j.sim = simaws.New(simaws.Options{Organization: organization, Home: home, Speed: simSpeed, Throttle: true, ListLag: simLag, Log: j.log})
	server := &http.Server{Handler: j.sim, ReadHeaderTimeout: 10 * time.Second}
	go server.Serve(listener) //nolint:errcheck // Close ends it
	j.close = func() { server.Close() }
	return "http://" + listener.Addr().String(), nil
}

// isSimulator says whether rollout simulate answers at a URL.
func isSimulator(ctx context.Context, url string) bool {
	ctx, cancel := context.WithTimeout(ctx, 3*time.Second)
	defer cancel()
	response, err := simGet(ctx, url, http.MethodGet, "/_sim/ready")
	if err != nil {
		return false
	}
	response.Body.Close()
	return true
}

// simGet calls the simulator's own interface.
func simGet(ctx context.Context, url, method, path string) (*http.Response, error) {
	request, err := http.NewRequestWithContext(ctx, method, strings.TrimSuffix(url, "/")+path, nil)
	if err != nil {
		return nil, err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return nil, err
	}
	if response.StatusCode != http.StatusOK {
		response.Body.Close()
		return nil, errors.New(path + " answered " + response.Status)
	}
	return response, nil
}
