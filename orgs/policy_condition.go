package orgs

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// keyed is what a plan knows of a condition key in a call.
type keyed struct {
	value          string
	known, present bool
}

func is(v string) keyed { return keyed{v, v != "", true} }

var absent = keyed{known: true}

// keyOf gives a condition key's value in a call of a role to what its account has (IAM
// user guide, "AWS global condition context keys").
func keyOf(key string, a *Account, ask Ask) keyed {
	switch strings.ToLower(key) {
	case "aws:requestedregion":
		service, _, _ := strings.Cut(ask.Action, ":")
		return is(cmp.Or(global[ask.Partition][service], ask.Region))
	case "aws:principalarn":
		return is(fmt.Sprintf("arn:%s:iam::%s:role/%s", ask.Partition, cmp.Or(a.ID, anyAccount), ask.Role))
	case "aws:principalaccount", "aws:resourceaccount":
		return is(a.ID)
	case "aws:principalorgid", "aws:resourceorgid":
		return is(ask.Organization)
	case "aws:principalorgpaths", "aws:resourceorgpaths":
		if a.OU == nil || ask.Organization == "" {
			return keyed{}
		}
		ids := a.chain()
		return is(ask.Organization + "/" + strings.Join(ids[:len(ids)-1], "/") + "/")
	case "aws:principaltype":
		return is("AssumedRole")
	case "aws:principalisawsservice":
		return is("false")
	case "aws:securetransport":
		return is("true")
	case "aws:sourceaccount", "aws:sourcearn", "aws:sourceorgid", "aws:sourceorgpaths", "aws:principalservicename", "aws:principalservicenameslist":
		return absent // only a service that calls for itself has them
	case "aws:resourcetag/aws-control-tower":
		return absent // Control Tower tags what it made, and nothing of ours is that
	}
	return keyed{}
}

var variable = regexp.MustCompile(`\$\{[^}]*\}`)

// filled puts the call's values in the place of policy variables; ok is false where one
// is not known. A value with one that the call lacks matches nothing, so it is left out.
func filled(values []string, a *Account, ask Ask) (out []string, ok bool) {
	ok = true
	for _, v := range values {
		lacks := false
		v = variable.ReplaceAllStringFunc(v, func(text string) string {
			name := text[2 : len(text)-1]
			if name == "*" || name == "?" || name == "$" {
				return name
			}
			k := keyOf(strings.TrimSpace(name), a, ask)
			ok = ok && k.known
			lacks = lacks || k.known && !k.present
			return k.value
		})
		if !lacks {
			out = append(out, v)
		}
	}
	return out, ok
}

// holds says whether a condition holds. Every key that is known has one value, for which
// ForAnyValue changes nothing, and ForAllValues only that a key which is not there holds.
func holds(operator, key string, values []string, a *Account, ask Ask) truth {
	operator, forAll := strings.CutPrefix(operator, "ForAllValues:")
	operator = strings.TrimPrefix(operator, "ForAnyValue:")
	operator, ifExists := strings.CutSuffix(operator, "IfExists")
	if strings.EqualFold(key, "s3:TlsVersion") {
		return newTLS(operator, values)
	}
	k := keyOf(key, a, ask)
	values, filledIn := filled(values, a, ask)
	negated := strings.Contains(operator, "Not")
	switch {
	case !k.known || !filledIn:
		return unsure
	case operator == "Null":
		return known(slices.Contains(values, strconv.FormatBool(!k.present)))
	case !k.present:
		return known(ifExists || forAll || negated)
	}
	anyOf := func(same func(pattern string) bool) truth {
		if negated {
			return not(known(slices.ContainsFunc(values, same)))
		}
		return known(slices.ContainsFunc(values, same))
	}
	switch operator {
	case "StringEquals", "StringNotEquals":
		return anyOf(func(pattern string) bool { return pattern == k.value })
	case "StringEqualsIgnoreCase", "StringNotEqualsIgnoreCase", "Bool":
		return anyOf(func(pattern string) bool { return strings.EqualFold(pattern, k.value) })
	case "StringLike", "StringNotLike", "ArnLike", "ArnEquals", "ArnNotLike", "ArnNotEquals":
		return anyOf(func(pattern string) bool { return like(pattern, k.value) })
	}
	return unsure
}

// newTLS judges a condition on the version of TLS: AWS's endpoints take none older than
// 1.2, and which newer one CloudFormation speaks is not known.
func newTLS(operator string, values []string) truth {
	for _, v := range values {
		version, err := strconv.ParseFloat(v, 64)
		if err != nil || operator != "NumericLessThan" || version > 1.2 {
			return unsure
		}
	}
	return no
}

// personal says whether a policy's statements may come to another end in two accounts of
// one OU: where they name an account, or look at it.
func personal(content string) bool {
	content = strings.ToLower(content)
	return anAccount.MatchString(content) || strings.Contains(content, "principalaccount") || strings.Contains(content, "resourceaccount")
}

var anAccount = regexp.MustCompile(`\d{12}`)
