package main

import (
	"encoding/json"
	"io"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

// layers lists what each package may import from this module. Imports run
// downward only; a new arrow is a decision, so it is made here.
var layers = map[string][]string{
	"rollout/cmd/rollout":       {"rollout/reports", "rollout/stackset", "rollout/templates", "rollout/orgs", "rollout/internal/awsapi", "rollout/internal/fanout", "rollout/internal/terminal", "rollout/internal/simaws", "rollout/internal/prove", "rollout/internal/restore", "rollout/internal/blast", "rollout/internal/doctor", "rollout/internal/cost"},
	"rollout/reports":           {"rollout/stackset", "rollout/templates", "rollout/orgs", "rollout/internal/awsapi", "rollout/internal/fanout"},
	"rollout/stackset":          {"rollout/templates", "rollout/orgs", "rollout/internal/awsapi", "rollout/internal/fanout", "rollout/internal/cost"},
	"rollout/templates":         {},
	"rollout/orgs":              {"rollout/internal/awsapi", "rollout/internal/fanout"},
	"rollout/internal/awsapi":   {},
	"rollout/internal/fanout":   {},
	"rollout/internal/cost":     {},
	"rollout/internal/extras":   {}, // of tests only
	"rollout/internal/terminal": {},
	// prove tries AWS alone; what the simulator claims comes from its caller.
	"rollout/internal/prove": {"rollout/internal/awsapi"},
	// doctor looks at what stands between an identity and the job; it knows the session
	// policies of all that reads or restores.
	"rollout/internal/doctor": {"rollout/reports", "rollout/stackset", "rollout/internal/restore", "rollout/internal/blast", "rollout/templates", "rollout/orgs", "rollout/internal/awsapi", "rollout/internal/fanout"},
	// blast reads what the remediations of a plan would change.
	"rollout/internal/blast": {"rollout/stackset", "rollout/templates", "rollout/orgs", "rollout/internal/awsapi", "rollout/internal/fanout"},
	// restore puts back one account's resources; it plans no StackSet.
	"rollout/internal/restore": {"rollout/templates", "rollout/internal/awsapi"},
	// templates for its syntax only; the simulator evaluates by itself.
	"rollout/internal/simaws": {"rollout/templates"},
}

func TestImportsRunDownward(t *testing.T) {
	output, err := exec.Command("go", "list", "-json=ImportPath,Imports", "rollout/...").Output()
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	for decoder := json.NewDecoder(strings.NewReader(string(output))); ; {
		var p struct {
			ImportPath string
			Imports    []string
		}
		if err := decoder.Decode(&p); err == io.EOF {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		seen[p.ImportPath] = true
		allowed, known := layers[p.ImportPath]
		if !known {
			t.Errorf("%s is in no layer; say above what it may import", p.ImportPath)
		}
		for _, i := range p.Imports {
			if strings.HasPrefix(i, "rollout/") && !slices.Contains(allowed, i) {
				t.Errorf("%s imports %s, which stands above it or beside it", p.ImportPath, i)
			}
			// service/ec2 costs half a minute to build; only what is about EC2 needs it.
			if strings.HasSuffix(i, "aws-sdk-go-v2/service/ec2") && p.ImportPath != "rollout/internal/restore" && p.ImportPath != "rollout/internal/blast" {
				t.Errorf("%s imports %s; it can do without", p.ImportPath, i)
			}
			if strings.HasSuffix(i, "urfave/cli/v2") && p.ImportPath != "rollout/cmd/rollout" {
				t.Errorf("%s imports %s, which stays in cmd/rollout", p.ImportPath, i)
			}
		}
	}
	for p := range layers {
		if !seen[p] {
			t.Errorf("the layer of %s is empty", p)
		}
	}
}
