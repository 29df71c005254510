package main

import (
	"strings"
	"testing"
	"testing/synctest"

	"rollout/internal/simaws"
	"rollout/templates"
)

// A delegated administrator may not tag accounts: the recorders go all the same, and it is
// told what a later run would do and how to keep it from that.
func TestReleaseByADelegatedAdministrator(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		th := newTheater(t, simaws.Options{})
		th.play(act{before: deployed})
		th.delegate()
		everything := templates.Policy{Version: "2012-10-17", Statement: []templates.Statement{{Effect: "Allow", Action: []string{"*"}, Resource: []string{"*"}}}}
		status, said := th.run(&everything, released...)
		for _, want := range []string{"could not get the tag rollout:released", "leave it out with --exclude-account until it is enrolled", "Control Tower can enrol what it governs"} {
			if status != exitDone || !strings.Contains(said, want) {
				t.Errorf("exit status %d without %q\n%s", status, want, said)
			}
		}
		if got := th.sim.Recorder(th.member().ID, "us-east-1"); got != "" {
			t.Errorf("the recorder %s is there still", got)
		}
	})
}

// What is in the way makes the release one in part, and machine output has it.
func TestReleaseThatIsNotEnough(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		th := newTheater(t, simaws.Options{})
		th.play(act{before: deployed})
		th.sim.PutRecorder(th.member().ID, "us-west-2", simaws.RecorderSpec{Name: "theirs"})
		status, said := th.run(nil, words(released, []string{"--output", "json"})...)
		for _, want := range []string{`"region": "us-west-2"`, "the recorder theirs and the delivery channel theirs are there", "cannot be enrolled yet"} {
			if status != exitPartial || !strings.Contains(said, want) {
				t.Errorf("exit status %d without %q\n%s", status, want, said)
			}
		}
	})
}

// recording may have been deployed under a name of the user's.
func TestReleaseOfANamedStackSet(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		th := newTheater(t, simaws.Options{})
		th.play(act{before: [][]string{words([]string{"deploy", "--template", "recording", "--stack-set", "mine"}, chosen, forReal)}})
		status, said := th.run(nil, released...)
		if status != exitPartial || !strings.Contains(said, "rollout's recorder and the delivery channel rollout are there") {
			t.Errorf("under another name: exit status %d\n%s", status, said)
		}
		status, said = th.run(nil, words(released, []string{"--stack-set", "mine"})...)
		if status != exitDone || th.sim.Recorder(th.member().ID, "us-east-1") != "" {
			t.Errorf("exit status %d\n%s", status, said)
		}
	})
}
