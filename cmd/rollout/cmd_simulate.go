package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"rollout/internal/simaws"
)

func simulateCommand(s streams) *cli.Command {
	const serve = "Simulation"
	return &cli.Command{
		Name:  "simulate",
		Usage: "serve the simulated organization as an AWS endpoint, for rehearsals and tests",
		Description: "Prints its URL on standard output when it is ready and serves until it is stopped. Use it with\n" +
			"AWS_ENDPOINT_URL=URL, from rollout, the AWS CLI or any SDK; any credentials are taken. What is deployed\n" +
			"stays until it ends. GET /_sim/stats, /_sim/truth and /_sim/ready, POST /_sim/pause, /_sim/resume and /_sim/step?by=10s.\n\n" +
			"--faults gives shares of the calls that fail: throttle, error (HTTP 500), reset (the connection breaks before\n" +
			"an answer), cut (it breaks within the answer), slow=0.05:3s (the answer comes late), expired (credentials) and\n" +
			"clock=0.01:10m (the caller's clock is wrong). organizations:ListAccounts:error=0.5 is of one call, config:*:…\n" +
			"of one service; either counts instead of the share of all. The same calls fail whenever the run is repeated;\n" +
			"--fault-seed has others fail.",
		Flags: groups([]cli.Flag{
			text(serve, "listen", "127.0.0.1:4566", "`ADDRESS` to serve on; :0 takes a free port"),
			&cli.IntFlag{Name: "accounts", Value: 60, Category: serve, EnvVars: env("accounts"), Usage: "`NUMBER` of accounts"},
			orgFlag(serve),
			text(serve, "landing-zone", "", "give the organization a landing zone of Control Tower of this `VERSION`: 3.3, 4.0"),
			&cli.Uint64Flag{Name: "seed", Value: 1, Category: serve, EnvVars: env("seed"), Usage: "`NUMBER` that says what the organization looks like"},
			text(serve, "home-region", "us-east-1", "`REGION` where accounts that record in one Region only do so"),
			&cli.DurationFlag{Name: "latency", Category: serve, EnvVars: env("latency"), Usage: "`DURATION` added to every answer"},
			text(serve, "throttle", "aws", "`off|aws`: AWS's request rates"),
			text(serve, "rate", "", "request rates of your own, `config:*=10/s,cloudformation:DescribeStackSet=2/s:5` (burst 5)"),
			text(serve, "faults", "", "random failures, `throttle=0.1,config:*:slow=0.02:2s`; see above"),
			&cli.Uint64Flag{Name: "fault-seed", Category: serve, EnvVars: env("fault-seed"), DefaultText: "--seed", Usage: "`NUMBER` that says which calls fail"},
			text(serve, "speed", "1x", "`60x` divides the durations of operations, evaluations and remediations by 60"),
		}, shapeFlags()),
		Action: func(c *cli.Context) error {
			if err := noArguments(c); err != nil {
				return err
			}
			o, err := readOptions(c)
			if err != nil {
				return err
			}
			options, err := simulateOptions(c)
			if err != nil {
				return err
			}
			j := newJob(s, o)
			options.Log = j.log
			return j.serve(c.Context, c.String("listen"), options)
		},
	}
}

func simulateOptions(c *cli.Context) (simaws.Options, error) {
	o := simaws.Options{Accounts: c.Int("accounts"), Seed: c.Uint64("seed"), Home: c.String("home-region"), Latency: c.Duration("latency"), ListLag: simLag}
	if o.Accounts < 3 || o.Accounts > 50000 {
		return o, usageError{fmt.Sprintf("--accounts %d: from 3 to 50000", o.Accounts)}
	}
	if o.Latency < 0 {
		return o, usageError{fmt.Sprintf("--latency %s: a duration is not negative", o.Latency)}
	}
	var err error
	if o.Organization, err = readOrganization(c.String("org")); err != nil {
		return o, err
	}
	if o.Organization != nil {
		if c.IsSet("accounts") {
			return o, usageError{"--accounts and --org: the file says which accounts there are"}
		}
		o.Accounts = o.Organization.Size()
	}
	o.LandingZone = c.String("landing-zone")
	if o.LandingZone != "" && o.Organization != nil {
		return o, usageError{"--landing-zone and --org: the file says whether there is one"}
	}
	if o.LandingZone != "" {
		if err := oneOf("landing-zone", o.LandingZone, simaws.LandingZones()...); err != nil {
			return o, err
		}
	}
	if err := oneOf("throttle", c.String("throttle"), "off", "aws"); err != nil {
		return o, err
	}
	o.Throttle = c.String("throttle") == "aws"
	if o.Speed, err = parseSpeed(c.String("speed")); err != nil {
		return o, err
	}
	if o.Faults, err = simaws.ParseFaults(c.String("faults")); err != nil {
		return o, usageError{"--faults: " + err.Error()}
	}
	if o.Rates, err = simaws.ParseRates(c.String("rate")); err != nil {
		return o, usageError{"--rate: " + err.Error()}
	}
	o.FaultSeed = c.Uint64("fault-seed")
	return o, nil
}

func orgFlag(category string) cli.Flag {
	return text(category, "org", "", "simulate the organization that `FILE.yaml` describes (docs/organization-file.md)")
}

// readOrganization reads an --org file, nil without one.
func readOrganization(file string) (*simaws.Organization, error) {
	if file == "" {
		return nil, nil
	}
	content, err := os.ReadFile(file)
	if err != nil {
		return nil, usageError{"--org: " + err.Error()}
	}
	o, err := simaws.ParseOrganization(file, content)
	if err != nil {
		return nil, usageError{"--org: " + err.Error()}
	}
	return o, nil
}

// parseSpeed reads "60x", "60" or "0.5x".
func parseSpeed(s string) (float64, error) {
	speed, err := strconv.ParseFloat(strings.TrimSuffix(s, "x"), 64)
	if err != nil || !(speed > 0) || speed > 1e6 {
		return 0, usageError{fmt.Sprintf("--speed %q: write a factor above 0, like 60x", s)}
	}
	return speed, nil
}

// serve serves until ctx is done.
func (j *job) serve(ctx context.Context, address string, o simaws.Options) error {
	listener, err := net.Listen("tcp", address)
	if err != nil {
		return fmt.Errorf("listen on %s: %w; --listen names another address", address, err)
	}
	server := &http.Server{Handler: simaws.New(o), ReadHeaderTimeout: 10 * time.Second}
	fmt.Fprintf(j.streams.out, "http://%s\n", listener.Addr())
	j.out.Line("serving a simulated organization of %d accounts; use it with\n  export AWS_ENDPOINT_URL=http://%s", o.Accounts, listener.Addr())
	done := make(chan error, 1)
	go func() { done <- server.Serve(listener) }()
	select {
	case err = <-done:
	case <-ctx.Done():
		closing, cancel := context.WithTimeout(context.WithoutCancel(ctx), 2*time.Second)
		defer cancel()
		if server.Shutdown(closing) != nil {
			server.Close()
		}
		return nil
	}
	if errors.Is(err, http.ErrServerClosed) {
		return nil
	}
	return fmt.Errorf("serve on %s: %w", listener.Addr(), err)
}
