package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/credentials/stscreds"
	"github.com/aws/aws-sdk-go-v2/service/configservice"
	configtypes "github.com/aws/aws-sdk-go-v2/service/configservice/types"
	"github.com/aws/aws-sdk-go-v2/service/organizations"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/rogpeppe/go-internal/testscript"

	"rollout/internal/simaws"
)

var update = flag.Bool("update", false, "rewrite what the scripts compare with")

func TestMain(m *testing.M) {
	// Scripts wait for polls more than they compute; go test -parallel still wins.
	if err := flag.Set("test.parallel", "16"); err != nil {
		panic(err)
	}
	testscript.Main(m, map[string]func(){"rollout": main})
}

// Each script is a person's sitting: commands, exit statuses, both outputs. `sim`
// starts a simulated organization that lasts for the script.
func TestScripts(t *testing.T) {
	scripts, err := filepath.Glob("testdata/script/*.txtar")
	if err != nil || len(scripts) == 0 {
		t.Fatal("no scripts: ", err)
	}
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata/script",
		UpdateScripts:       *update,
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		Setup: func(e *testscript.Env) error {
			// Nothing of the machine's own AWS configuration reaches a script.
			e.Setenv("AWS_EC2_METADATA_DISABLED", "true")
			e.Setenv("AWS_CONFIG_FILE", filepath.Join(e.WorkDir, "none"))
			e.Setenv("AWS_SHARED_CREDENTIALS_FILE", filepath.Join(e.WorkDir, "none"))
			e.Setenv("TERM", "dumb")
			return nil
		},
		Cmds: map[string]func(ts *testscript.TestScript, neg bool, args []string){
			// sim [option…]: serve an organization and point the SDK at it. deny=ACTION is a
			// policy against it in one account of Workloads/Staging.
			"sim": func(ts *testscript.TestScript, neg bool, args []string) {
				o := simaws.Options{Speed: 600}
				denied := ""
				for _, a := range args {
					if action, ok := strings.CutPrefix(a, "deny="); ok {
						denied = action
						continue
					}
					switch a {
					case "no-organization":
						o.NoOrganization = true
					case "trusted-access-off":
						o.TrustedAccessOff = true
					case "empty":
						o.Empty = true
					case "landing-zone":
						o.LandingZone = "3.3"
					case "no-roles":
					default:
						ts.Fatalf("sim: unknown option %s", a)
					}
				}
				sim := simaws.New(o)
				for _, a := range sim.Accounts() {
					if denied != "" && a.OUPath == "Workloads/Staging" && a.State == "ACTIVE" {
						sim.DenyAction(a.ID, denied) // in one account
						denied = ""
					}
					for _, option := range args {
						if option == "no-roles" {
							sim.RemoveRole(a.ID, "OrganizationAccountAccessRole")
							sim.RemoveRole(a.ID, "AWSControlTowerExecution")
						}
					}
				}
				server := httptest.NewServer(sim)
				ts.Defer(server.Close)
				ts.Setenv("AWS_ENDPOINT_URL", server.URL)
				ts.Setenv("AWS_REGION", "us-east-1")
			},
			// status CODE rollout …: run and compare the exit status.
			"status": func(ts *testscript.TestScript, neg bool, args []string) {
				if len(args) < 2 {
					ts.Fatalf("usage: status CODE command…")
				}
				err := ts.Exec(args[1], args[2:]...)
				got := "0"
				if err != nil {
					got = strings.TrimPrefix(err.Error(), "exit status ")
				}
				if got != args[0] {
					ts.Fatalf("exit status %s, want %s", got, args[0])
				}
			},
			// as ACCOUNT [SERVICE]: go on as the administrator of a member account, which is made
			// the delegated administrator of a service.
			"as": func(ts *testscript.TestScript, neg bool, args []string) {
				if len(args) < 1 || len(args) > 2 {
					ts.Fatalf("usage: as ACCOUNT [SERVICE]")
				}
				got, err := becomes(ts.Getenv("AWS_ENDPOINT_URL"), args[0], args[1:])
				ts.Check(err)
				ts.Setenv("AWS_ACCESS_KEY_ID", got.AccessKeyID)
				ts.Setenv("AWS_SECRET_ACCESS_KEY", got.SecretAccessKey)
				ts.Setenv("AWS_SESSION_TOKEN", got.SessionToken)
			},
			// drop ACCOUNT REGION RULE: its administrator deletes a rule of an account, by name.
			"drop": func(ts *testscript.TestScript, neg bool, args []string) {
				if len(args) != 3 {
					ts.Fatalf("usage: drop ACCOUNT REGION RULE")
				}
				ts.Check(dropRule(ts.Getenv("AWS_ENDPOINT_URL"), args[0], args[1], args[2]))
			},
			// rows FILE N: a file has so many lines.
			"rows": func(ts *testscript.TestScript, neg bool, args []string) {
				text := ts.ReadFile(args[0])
				if got := fmt.Sprint(strings.Count(text, "\n")); got != args[1] {
					ts.Fatalf("%s has %s lines, want %s", args[0], got, args[1])
				}
			},
		},
	})
}

// operator is the management account's administrator.
func operator(endpoint, region string) aws.Config {
	return aws.Config{Region: region, BaseEndpoint: &endpoint, Credentials: credentials.NewStaticCredentialsProvider("AKIAOPERATOR", "x", "")}
}

// accountNamed is the id of an account.
func accountNamed(ctx context.Context, cfg aws.Config, name string) (string, error) {
	for pages := organizations.NewListAccountsPaginator(organizations.NewFromConfig(cfg), &organizations.ListAccountsInput{}); pages.HasMorePages(); {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return "", err
		}
		for _, a := range page.Accounts {
			if *a.Name == name {
				return *a.Id, nil
			}
		}
	}
	return "", fmt.Errorf("no account is called %s", name)
}

// insideOf are credentials of a member account's administrator.
func insideOf(cfg aws.Config, account string) aws.CredentialsProvider {
	return aws.NewCredentialsCache(stscreds.NewAssumeRoleProvider(sts.NewFromConfig(cfg), "arn:aws:iam::"+account+":role/OrganizationAccountAccessRole"))
}

// becomes makes a member account delegated administrator of services, and enters it.
func becomes(endpoint, account string, services []string) (aws.Credentials, error) {
	ctx := context.Background()
	cfg := operator(endpoint, "us-east-1")
	id, err := accountNamed(ctx, cfg, account)
	if err != nil {
		return aws.Credentials{}, err
	}
	for _, service := range services {
		if _, err := organizations.NewFromConfig(cfg).RegisterDelegatedAdministrator(ctx, &organizations.RegisterDelegatedAdministratorInput{AccountId: &id, ServicePrincipal: &service}); err != nil {
			return aws.Credentials{}, err
		}
	}
	return insideOf(cfg, id).Retrieve(ctx)
}

// dropRule deletes a rule behind CloudFormation's back, as the administrator of an account.
func dropRule(endpoint, account, region, rule string) error {
	ctx := context.Background()
	cfg := operator(endpoint, region)
	if account != "management" {
		id, err := accountNamed(ctx, cfg, account)
		if err != nil {
			return err
		}
		cfg.Credentials = insideOf(cfg, id)
	}
	api := configservice.NewFromConfig(cfg)
	_, err := api.DeleteConfigRule(ctx, &configservice.DeleteConfigRuleInput{ConfigRuleName: &rule})
	for err == nil { // AWS Config deletes it by and by
		_, err = api.DescribeConfigRules(ctx, &configservice.DescribeConfigRulesInput{ConfigRuleNames: []string{rule}})
	}
	if _, gone := errors.AsType[*configtypes.NoSuchConfigRuleException](err); gone {
		return nil
	}
	return err
}

// runWith runs the program with variables of its own beside those of this process, so that
// tests of it can run side by side.
func runWith(t *testing.T, env map[string]string, args ...string) (status int, stdout, stderr string) {
	t.Helper()
	return runUntil(t, env, "\x00", args...)
}

// runUntil runs the program, and interrupts it once it has said a word.
func runUntil(t *testing.T, env map[string]string, word string, args ...string) (status int, stdout, stderr string) {
	t.Helper()
	var out strings.Builder
	program := exec.Command("rollout", args...) // which TestMain has put into PATH
	interrupt := sync.OnceFunc(func() {         // a second one would end it on the spot
		if err := program.Process.Signal(os.Interrupt); err != nil {
			t.Error(err)
		}
	})
	errs := &interrupter{word: word, cancel: interrupt}
	program.Stdout, program.Stderr, program.Env = &out, errs, os.Environ()
	for k, v := range env {
		program.Env = append(program.Env, k+"="+v)
	}
	if err := program.Run(); err != nil && program.ProcessState == nil {
		t.Fatal(err)
	}
	return program.ProcessState.ExitCode(), out.String(), errs.String()
}
