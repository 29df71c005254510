package simaws

import (
	"net/http"
	"regexp"
	"strings"
)

// checkSSMParameter is what PutParameter refuses (API reference).
func checkSSMParameter(s *Sim, c resourceCall) error {
	value, pattern := textOf(c.Properties["Value"]), textOf(c.Properties["AllowedPattern"])
	refuse := func(message string) error {
		return handlerError(s, "Ssm", http.StatusBadRequest, "InvalidRequest", message)
	}
	if name := strings.ToLower(strings.TrimPrefix(textOf(c.Properties["Name"]), "/")); strings.HasPrefix(name, "aws") || strings.HasPrefix(name, "ssm") {
		return refuse(`Parameter name: can't be prefixed with "aws" or "ssm" (case-insensitive).`)
	}
	if strings.Count(textOf(c.Properties["Name"]), "/") > 15 {
		return refuse("Parameter hierarchy cannot exceed 15 levels.")
	}
	tier := orElse(textOf(c.Properties["Tier"]), "Standard")
	switch limit := map[string]int{"Standard": 4096}[tier]; {
	case limit > 0 && len(value) > limit:
		return refuse("Standard tier parameters support a maximum parameter value of 4096 characters. To create a larger parameter value, upgrade the parameter to use the advanced-parameter tier.")
	case len(value) > 8192:
		return refuse("Advanced tier parameters support a maximum parameter value of 8192 characters.")
	case c.PhysicalID != "" && tier == "Standard" && textOf(c.Old["Tier"]) == "Advanced": // user guide, parameter tiers
		return refuse("Can't revert advanced parameters to standard parameters. If you no longer need this advanced parameter, you can delete it and recreate it as a standard parameter.")
	}
	if pattern == "" {
		return nil
	}
	re, err := regexp.Compile(pattern)
	if err != nil {
		return refuse("The request does not meet the regular expression requirement.")
	}
	if !re.MatchString(value) {
		return refuse("Parameter value, cannot be validated against allowedPattern: " + pattern)
	}
	return nil
}

func parameterTaken(s *Sim, _ resourceCall, _ string) error {
	return handlerError(s, "Ssm", http.StatusBadRequest, "AlreadyExists", "The parameter already exists. To overwrite this value, set the overwrite option in the request to true.")
}
