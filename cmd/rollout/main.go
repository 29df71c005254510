// Command rollout rolls a security baseline out over a whole AWS organization and
// proves afterwards what every account looks like.
//
// One file a command: it turns options into a plain struct, wires the packages
// together and shows what they say. AWS logic lives below, in orgs, stackset and
// reports.
package main

import (
	"context"
	"io"
	"os"
	"os/signal"
	"syscall"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := run(ctx, os.Args, os.Stdin, os.Stdout, os.Stderr, stop)
	stop()
	os.Exit(code)
}

// run is the whole program but for the process: it returns the exit status.
// release gives signals back their usual effect, so that a second Ctrl-C ends the
// program at once.
func run(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer, release func()) int {
	streams := streams{in: stdin, out: stdout, err: stderr}
	context.AfterFunc(ctx, release)
	app := newApp(streams)
	arguments, err := arrange(app, args)
	if err == nil {
		err = app.RunContext(ctx, arguments)
	}
	return exitStatus(ctx, streams, err)
}

// streams are where a command reads and writes: machine output and results on
// out, everything else on err.
type streams struct {
	in  io.Reader
	out io.Writer
	err io.Writer
}
