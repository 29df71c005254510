package templates

import (
	"maps"
	"regexp"
	"slices"
	"strings"
)

// apiCall is a call of AWS's API by a step.
type apiCall struct {
	service, operation string
	actions            []string // the IAM actions that it needs
	at                 *node
}

var (
	pyClient = regexp.MustCompile(`(\w+)\s*=\s*(?:boto3|session|\w*[sS]ession)\.client\(\s*(?:service_name\s*=\s*)?["']([a-z0-9-]+)["']`)
	pyDirect = regexp.MustCompile(`boto3\.client\(\s*(?:service_name\s*=\s*)?["']([a-z0-9-]+)["'][^()]*\)\.(\w+)`)
	pyMember = regexp.MustCompile(`(^|[^\w.])(\w+)\.(\w+)`)
	pyPages  = regexp.MustCompile(`(\w+)\.(?:get_paginator|can_paginate|get_waiter)\(\s*["'](\w+)["']`)
	pyAny    = regexp.MustCompile(`\.client\(\s*(?:service_name\s*=\s*)?["']([a-z0-9-]+)["']`)
	pyString = regexp.MustCompile(`"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'`)
)

// notCalls are the members of a boto3 client that call no operation of their own
// name.
var notCalls = []string{"can_paginate", "close", "exceptions", "generate_presigned_post", "generate_presigned_url", "get_paginator", "get_waiter", "meta", "waiter_names"}

// helpers are the members of S3's client that stand for operations.
var helpers = map[string]string{
	"upload_file": "PutObject", "upload_fileobj": "PutObject", "download_file": "GetObject", "download_fileobj": "GetObject", "copy": "CopyObject",
}

// scriptCalls are the calls in a Python script and the methods that no service has.
// It reads lines, not Python: a client is known by the name of the variable that
// holds it, and a function may be handed it under that name.
func scriptCalls(script *node) (calls []apiCall, strange []apiCall) {
	clients := map[string][]string{}
	lines := strings.Split(script.text, "\n")
	for i, line := range lines {
		lines[i] = uncomment(line)
		for _, m := range pyClient.FindAllStringSubmatch(lines[i], -1) {
			if !slices.Contains(clients[m[1]], m[2]) {
				clients[m[1]] = append(clients[m[1]], m[2])
			}
		}
	}
	seen := map[string]bool{}
	add := func(names []string, method string, at *node) {
		if slices.Contains(notCalls, method) {
			return
		}
		known := false
		for _, name := range names {
			s, there := services()[name]
			if !there || s.actions == nil {
				known = known || there // nothing is known of its operations
				continue
			}
			operation, found := s.operation(method)
			if helper, ok := helpers[method]; ok && name == "s3" {
				operation, found = helper, true
			}
			known = known || found
			if found && !seen[name+"."+operation] {
				seen[name+"."+operation] = true
				calls = append(calls, apiCall{name, operation, s.actions[operation], at})
			}
		}
		if !known && len(names) > 0 && !seen[names[0]+"."+method] {
			seen[names[0]+"."+method] = true
			strange = append(strange, apiCall{service: names[0], operation: method, at: at})
		}
	}
	for i, line := range lines {
		at := script.lineOf(i)
		for _, m := range pyAny.FindAllStringSubmatch(line, -1) {
			if _, there := services()[m[1]]; !there {
				strange = append(strange, apiCall{service: m[1], at: at})
			}
		}
		for _, m := range pyDirect.FindAllStringSubmatch(line, -1) {
			add([]string{m[1]}, m[2], at)
		}
		for _, m := range pyPages.FindAllStringSubmatch(line, -1) {
			if !strings.Contains(m[0], "get_waiter") {
				add(clients[m[1]], m[2], at)
			}
		}
		for _, m := range pyMember.FindAllStringSubmatch(pyString.ReplaceAllString(line, `""`), -1) {
			add(clients[m[2]], m[3], at)
		}
	}
	return calls, strange
}

// uncomment is a line of Python without its comment.
func uncomment(line string) string {
	quote := byte(0)
	for i := 0; i < len(line); i++ {
		switch c := line[i]; {
		case c == '\\' && quote != 0:
			i++
		case quote == 0 && (c == '"' || c == '\''):
			quote = c
		case c == quote:
			quote = 0
		case c == '#' && quote == 0:
			return line[:i]
		}
	}
	return line
}

// checkMethods looks for calls that no client has.
func (l *linter) checkMethods(a ssmDocument, s ssmStep, script *node) {
	_, strange := scriptCalls(script)
	for _, c := range strange {
		found, known := services()[c.service]
		switch {
		case !known:
			l.say("RL408", c.at, "the script of %s makes a client of %q, which boto3 does not know%s", s.name, c.service, meant(c.service, slices.Collect(maps.Keys(services()))))
		case c.operation != "":
			l.say("RL408", c.at, "the client of %s has no %s%s", c.service, c.operation, meantMethod(c.operation, found))
		}
	}
}

func meantMethod(method string, s service) string {
	if near := Nearest(strings.ReplaceAll(method, "_", ""), slices.Sorted(maps.Keys(s.methods))); near != "" {
		return "; did you mean that of " + s.methods[near] + "?"
	}
	return ""
}
