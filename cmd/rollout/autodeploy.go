package main

import (
	"errors"
	"flag"
	"fmt"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"

	"rollout/stackset"
)

// optionalFlag is an option that stands alone or has a value behind an equals sign.
type optionalFlag struct{ *cli.GenericFlag }

// TakesValue is false: the next word is not the value.
func (f *optionalFlag) TakesValue() bool { return false }

// Apply reads the variable; what the command line says then stands instead of it.
func (f *optionalFlag) Apply(set *flag.FlagSet) error {
	err := f.GenericFlag.Apply(set)
	f.Value.(*autoDeployValue).fromVariable = true
	return err
}

func autoDeployFlag() cli.Flag {
	return &optionalFlag{&cli.GenericFlag{Name: "auto-deploy", Category: what, EnvVars: env("auto-deploy"), Value: &autoDeployValue{},
		Usage: "`[=TEMPLATES|=off]`: let StackSets deploy by itself to accounts that join: every template of the run but recording and what enforces, those alone that are named, or none (without the option each StackSet keeps what it has)"}}
}

// autoDeployValue collects what was given, once or several times.
type autoDeployValue struct {
	auto         stackset.AutoDeploy
	fromVariable bool
}

// IsBoolFlag lets the option stand alone; package flag then sets it to "true".
func (v *autoDeployValue) IsBoolFlag() bool { return true }

// Get and String are what package flag asks for.
func (v *autoDeployValue) Get() any       { return v.auto }
func (v *autoDeployValue) String() string { return autoDeployWords(v.auto) }

// Set takes in one more value.
func (v *autoDeployValue) Set(text string) error {
	more, err := parseAutoDeploy(text)
	if err != nil {
		return err
	}
	if v.fromVariable {
		v.auto, v.fromVariable = stackset.AutoDeploy{}, false
	}
	v.auto.All, v.auto.Off = v.auto.All || more.All, v.auto.Off || more.Off
	for _, name := range more.Names {
		if !slices.Contains(v.auto.Names, name) {
			v.auto.Names = append(v.auto.Names, name)
		}
	}
	return nil
}

// parseAutoDeploy reads a value: "true" is what stands for none.
func parseAutoDeploy(text string) (stackset.AutoDeploy, error) {
	var out stackset.AutoDeploy
	if text == "" {
		return out, nil
	}
	for _, word := range strings.Split(text, ",") {
		switch word = strings.TrimSpace(word); word {
		case "":
			return out, errors.New("--auto-deploy: a name is empty; separate names of templates by commas")
		case "true", "1":
			out.All = true
		case "off":
			out.Off = true
		case "false", "0":
			return out, fmt.Errorf("--auto-deploy=%s: say off to switch it off, or leave the option out to keep what each StackSet has", word)
		default:
			if !slices.Contains(out.Names, word) {
				out.Names = append(out.Names, word)
			}
		}
	}
	return out, nil
}

// autoDeployWords are the value that says the same, "" without any.
func autoDeployWords(a stackset.AutoDeploy) string {
	var words []string
	if a.All {
		words = append(words, "true")
	}
	if a.Off {
		words = append(words, "off")
	}
	return strings.Join(append(words, a.Names...), ",")
}

// autoDeployOf reads the option; a command that has none gives the zero value.
func autoDeployOf(c *cli.Context) (stackset.AutoDeploy, error) {
	v, _ := c.Generic("auto-deploy").(*autoDeployValue)
	if v == nil {
		return stackset.AutoDeploy{}, nil
	}
	if v.String() == "" && c.IsSet("auto-deploy") {
		return v.auto, usageError{"--auto-deploy= has no value: name templates, or leave the equals sign out"}
	}
	return v.auto, nil
}
