package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"
)

// arrange puts the words of a command line in the order that the parser needs:
// command, options, then arguments. urfave/cli v2 runs the root action for an
// unknown word, forgets options placed before the command name, and takes options
// behind an argument for arguments; a tool that changes accounts must not do any
// of that. An unknown command is an error; `--` ends the options as usual.
func arrange(app *cli.App, args []string) ([]string, error) {
	if len(args) == 0 {
		return args, nil
	}
	path := []string{args[0]}
	var options, words []string
	commands, flags := app.Commands, app.Flags
	allFlags := everyFlag(app)
	current := (*cli.Command)(nil)
	optional := "" // an option whose value, if any, is joined to it, right before a word
	for i := 1; i < len(args); i++ {
		arg := args[i]
		switch {
		case arg == "--":
			words = append(words, args[i+1:]...)
			i = len(args)
		case len(arg) > 1 && arg[0] == '-':
			options = append(options, arg)
			if !strings.Contains(arg, "=") && takesValue(flags, allFlags, strings.TrimLeft(arg, "-")) && i+1 < len(args) {
				i++
				options = append(options, args[i])
			}
			if name := strings.TrimLeft(arg, "-"); valueIsOptional(flags, allFlags, name) && i+1 < len(args) {
				optional = name
				continue
			}
		case len(words) == 0 && find(commands, arg) != nil:
			current = find(commands, arg)
			path = append(path, arg)
			commands, flags = current.Subcommands, current.Flags
		case optional != "":
			return nil, usageError{fmt.Sprintf("--%s takes a value only with an equals sign: --%s=%s", optional, optional, arg)}
		default:
			words = append(words, arg)
		}
		optional = ""
	}
	if len(words) > 0 && (current == nil || len(current.Subcommands) > 0) {
		return nil, unknownCommand(path, commands, words[0])
	}
	out := append(path, options...)
	if len(words) > 0 {
		out = append(append(out, "--"), words...)
	}
	return out, nil
}

func find(commands []*cli.Command, name string) *cli.Command {
	for _, c := range commands {
		if c.HasName(name) {
			return c
		}
	}
	return nil
}

func everyFlag(app *cli.App) []cli.Flag {
	flags := slices.Clone(app.Flags)
	var add func([]*cli.Command)
	add = func(commands []*cli.Command) {
		for _, c := range commands {
			flags = append(flags, c.Flags...)
			add(c.Subcommands)
		}
	}
	add(app.Commands)
	return flags
}

// takesValue says whether an option is followed by a value: as the command that
// was named so far declares it, else as any command does.
func takesValue(flags, all []cli.Flag, name string) bool {
	for _, list := range [][]cli.Flag{flags, all} {
		for _, f := range list {
			if slices.Contains(f.Names(), name) {
				d, ok := f.(cli.DocGenerationFlag)
				return ok && d.TakesValue()
			}
		}
	}
	return false
}

// valueIsOptional says whether an option can stand alone and can have a value too.
func valueIsOptional(flags, all []cli.Flag, name string) bool {
	for _, f := range slices.Concat(flags, all) {
		if _, ok := f.(*optionalFlag); ok && slices.Contains(f.Names(), name) {
			return true
		}
	}
	return false
}

func unknownCommand(path []string, commands []*cli.Command, word string) error {
	var names []string
	for _, c := range commands {
		if !c.Hidden {
			names = append(names, c.Name)
		}
	}
	message := fmt.Sprintf("unknown command %q", word)
	if len(path) > 1 {
		message = fmt.Sprintf("%q is no command of %q", word, strings.Join(path[1:], " "))
	}
	if near := nearest(word, names); near != "" {
		message += fmt.Sprintf("; did you mean %q?", near)
	} else {
		message += "; there are: " + strings.Join(names, ", ")
	}
	return usageError{message}
}

// nearest gives the name at most two edits away from a word, "" without one.
func nearest(word string, names []string) string {
	best, distance := "", 3
	for _, n := range names {
		if d := edits(word, n); d < distance {
			best, distance = n, d
		}
	}
	return best
}

// edits is the Levenshtein distance.
func edits(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := 1
			if a[i] == b[j] {
				cost = 0
			}
			diagonal, row[j+1] = row[j+1], min(row[j+1]+1, row[j]+1, diagonal+cost)
		}
	}
	return row[len(b)]
}

// noArguments refuses arguments where a command takes none.
func noArguments(c *cli.Context) error {
	if c.Args().Present() {
		return usageError{fmt.Sprintf("%q takes no arguments, but was given %q; options begin with --", c.Command.FullName(), c.Args().First())}
	}
	return nil
}

// usageError is a mistake on the command line.
type usageError struct{ message string }

func (e usageError) Error() string { return e.message }
