package templates

import (
	"regexp"
	"strings"
)

// arnPart is a part of an ARN, which Fn::Sub may fill in.
const arnPart = `(?:\$\{[^}]*\}|[^:\s"'])*`

var (
	partitionText = regexp.MustCompile(`\barn:(aws(?:-[a-z]+)*):[a-z0-9*-]+:`)
	accountText   = regexp.MustCompile(`\barn:` + arnPart + `:` + arnPart + `:` + arnPart + `:([0-9]{12}):`)
	noAccountText = regexp.MustCompile(`\barn:` + arnPart + `:iam:` + arnPart + `:([A-Za-z][A-Za-z0-9]*):(?:role|policy|user|root|group)`)
	regionText    = regexp.MustCompile(`(?:\barn:` + arnPart + `:` + arnPart + `:|\.)((?:[a-z]{2,4}(?:-iso[a-z]?)?)-(?:[a-z]+)-[0-9])(?::|\.amazonaws)`)
	keyText       = regexp.MustCompile(`\b(?:AKIA|ASIA)[0-9A-Z]{16}\b`)
	secretWord    = regexp.MustCompile(`(?i)(password|secret|token|passphrase|api_?key|private_?key|credential)`)
	// aboutSecret are the ends of names that say something of a secret and hold none.
	aboutSecret = regexp.MustCompile(`(Arn|Name|Age|Days|Length|Policy)$`)
)

// secretProperties take a secret. Source: the types' pages in the CloudFormation
// template reference, properties that say not to write it out.
var secretProperties = map[string]bool{
	"MasterUserPassword": true, "MasterPassword": true, "UserPassword": true, "AuthToken": true, "SecretString": true,
	"AdminPassword": true, "OAuthToken": true, "OauthToken": true, "ClientSecret": true, "PrivateKey": true, "SecretToken": true,
}

// checkLiterals looks for what is written out and differs from place to place.
// Descriptions are for people, and Mappings are where such things belong.
func (l *linter) checkLiterals() {
	for _, section := range []string{"Conditions", "Resources", "Outputs"} {
		for _, e := range l.root.get(section).entries {
			l.literals(e.value)
		}
	}
}

func (l *linter) literals(n *node) {
	for _, e := range n.entries {
		if strings.EqualFold(e.key, "Description") || e.key == "Metadata" || strings.EqualFold(e.key, "allowedPattern") {
			continue
		}
		l.literals(e.value)
	}
	for _, item := range n.items {
		l.literals(item)
	}
	if n.text == "" {
		return
	}
	l.perLine(n, partitionText, func(at *node, match string) {
		l.say("RL130", at, "arn:%s: is another partition in China and GovCloud", match)
	})
	l.perLine(n, accountText, func(at *node, match string) {
		l.say("RL131", at, "the account %s is written out, and every account of the rollout gets it", match)
	})
	l.perLine(n, noAccountText, func(at *node, match string) {
		if match != "aws" {
			l.say("RL136", at, "an ARN has %s where its account belongs", match)
		}
	})
	l.perLine(n, regionText, func(at *node, match string) {
		l.say("RL132", at, "the Region %s is written out, and every Region of the rollout gets it", match)
	})
	l.perLine(n, keyText, func(at *node, match string) {
		l.say("RL135", at, "%s… is an access key id", match[:8])
	})
}

// perLine calls f for the lines of a text that match, with their place.
func (l *linter) perLine(n *node, pattern *regexp.Regexp, f func(at *node, match string)) {
	for i, line := range strings.Split(n.text, "\n") {
		m := pattern.FindStringSubmatch(line)
		if m == nil {
			continue
		}
		f(n.lineOf(i), m[len(m)-1])
	}
}

// setMargins finds out how far the texts of block scalars are indented, which the
// YAML reader does not tell.
func (l *linter) setMargins() {
	source := strings.Split(string(l.body), "\n")
	l.root.walk(func(n *node) bool {
		if n.block {
			for i, line := range strings.Split(n.text, "\n") {
				if at := n.line + i; strings.TrimSpace(line) != "" && at < len(source) {
					n.margin = max(0, strings.Index(source[at], line))
					break
				}
			}
		}
		return true
	})
}

// lineOf is the place of a line of n's text, from 0.
func (n *node) lineOf(i int) *node {
	if !n.block {
		return n
	}
	column := n.margin + 1
	if lines := strings.Split(n.text, "\n"); i < len(lines) {
		column += len(lines[i]) - len(strings.TrimLeft(lines[i], " "))
	}
	return &node{line: n.line + 1 + i, column: column}
}

func (l *linter) checkSecrets() {
	for _, e := range l.root.get("Parameters").entries {
		p := l.doc.Parameters[e.key]
		switch {
		case p.NoEcho && p.Default != "":
			l.say("RL133", e.value.get("Default"), "the parameter %s is NoEcho, and its default is written out", e.key)
		case !p.NoEcho && secretWord.MatchString(e.key) && (p.Type == "String") && !aboutSecret.MatchString(e.key):
			l.say("RL134", e.at, "the parameter %s sounds like a secret, and everybody who may describe the stack reads it", e.key)
		}
	}
	for _, r := range l.resources {
		r.props.walk(func(n *node) bool {
			for _, e := range n.entries {
				password := r.kind == "AWS::IAM::User" && e.key == "Password"
				if !secretProperties[e.key] && !password {
					continue
				}
				for _, o := range e.value.options() {
					if s, ok := o.value.(string); ok && s != "" && !strings.HasPrefix(s, "{{resolve:") {
						l.say("RL135", o, "%s of %s is written out", e.key, r.id)
					}
				}
			}
			return true
		})
	}
}
