package simaws

import (
	"slices"
	"strings"

	"rollout/templates"
)

// What CloudFormation says of a function whose arguments have a wrong shape, before
// anything is made.
const (
	refShape    = "every Ref object must have a single String value."
	getAttShape = "every Fn::GetAtt object requires two non-empty parameters, the resource name and the resource attribute"
	joinShape   = "every Fn::Join object requires two parameters, (1) a string delimiter and (2) a list of strings to be joined or a function that returns a list of strings (such as Fn::GetAZs) to be joined."
	splitShape  = "every Fn::Split object requires two parameters, (1) a string delimiter and (2) a string to be split or a function that returns a string to be split."
	selectShape = "Fn::Select requires a list argument with two elements: an integer index and a list"
	mapShape    = "every Fn::FindInMap object requires three parameters, the map name, map key and the attribute for return value"
	subShape    = "One or more Fn::Sub intrinsic functions don't specify expected arguments. Specify a string as first argument, and an optional second argument to specify a mapping of values to replace in the string"
	equalsShape = "every Fn::Equals object requires a list of 2 string parameters."
	notShape    = "every Fn::Not object requires one boolean parameter."
	ifShape     = "Fn::If requires a list argument with three elements"
	ifCondition = "Fn::If requires a list argument with the first element being a condition"
	unsupported = "Encountered unsupported function: %s Supported functions are: [Fn::Base64, Fn::GetAtt, Fn::GetAZs, Fn::ImportValue, Fn::Join, Fn::Split, Fn::FindInMap, Fn::Select, Ref, Fn::Equals, Fn::If, Fn::Not, Condition, Fn::And, Fn::Or, Fn::Contains, Fn::EachMemberEquals, Fn::EachMemberIn, Fn::ValueOf, Fn::ValueOfAll, Fn::RefAll, Fn::Sub, Fn::Cidr]"
)

// conditionFunctions give true or false.
var conditionFunctions = []string{"Fn::And", "Fn::Or", "Fn::Not", "Fn::Equals", "Condition"}

// checkFunctions holds every function of a template to the shape of its arguments.
func checkFunctions(doc *templates.Document) error {
	for _, name := range sortedKeys(doc.Conditions) {
		if err := checkCondition(doc.Conditions[name]); err != nil {
			return err
		}
	}
	for _, id := range doc.ResourceOrder {
		if err := checkFunction(doc.Resources[id].Properties); err != nil {
			return err
		}
	}
	for _, name := range sortedKeys(doc.Outputs) {
		if err := checkFunction(doc.Outputs[name]); err != nil {
			return err
		}
	}
	return nil
}

// checkCondition: conditions are operations on parameters and other conditions.
func checkCondition(v any) error {
	function, argument, ok := intrinsic(v)
	if b, isText := v.(string); isText && (b == "true" || b == "false") {
		return nil
	}
	if _, isBool := v.(bool); isBool {
		return nil
	}
	if !ok || !slices.Contains(conditionFunctions, function) {
		return validation("Template format error: Conditions can only be boolean operations on parameters and other conditions")
	}
	if err := functionShape(function, argument); err != nil {
		return err
	}
	list, _ := argument.([]any)
	for _, x := range list {
		check := checkCondition
		if function == "Fn::Equals" {
			check = checkFunction
		}
		if err := check(x); err != nil {
			return err
		}
	}
	return nil
}

func checkFunction(v any) error {
	switch t := v.(type) {
	case []any:
		for _, x := range t {
			if err := checkFunction(x); err != nil {
				return err
			}
		}
	case map[string]any:
		if function, argument, ok := intrinsic(v); ok && !(function == "Condition" && !isText(argument)) {
			if err := functionShape(function, argument); err != nil {
				return err
			}
		}
		for _, key := range sortedKeys(t) {
			if err := checkFunction(t[key]); err != nil {
				return err
			}
		}
	}
	return nil
}

// functionShape says what is wrong with the arguments of a function.
func functionShape(function string, argument any) error {
	list, isList := argument.([]any)
	text, isString := argument.(string)
	// at says whether an argument is there, as text or as a function that gives one.
	at := func(n int) bool {
		if n >= len(list) {
			return false
		}
		_, _, call := intrinsic(list[n])
		switch list[n].(type) {
		case []any, map[string]any:
			return call
		}
		return true
	}
	of := func(n int) bool {
		if n >= len(list) {
			return false
		}
		_, listed := list[n].([]any)
		_, _, call := intrinsic(list[n])
		return listed || call
	}
	wrong := ""
	switch function {
	case "Ref":
		if !isString || text == "" {
			wrong = refShape
		}
	case "Fn::GetAtt":
		if len(list) != 2 || !isText(list[0]) || list[0] == "" || !at(1) || list[1] == "" {
			wrong = getAttShape
		}
	case "Fn::Join":
		if len(list) != 2 || !isText(list[0]) || !of(1) {
			wrong = joinShape
		}
	case "Fn::Split":
		if len(list) != 2 || !isText(list[0]) || !at(1) {
			wrong = splitShape
		}
	case "Fn::Select":
		if len(list) != 2 || !at(0) || !of(1) {
			wrong = selectShape
		}
	case "Fn::FindInMap":
		if len(list) != 3 || !at(0) || !at(1) || !at(2) {
			wrong = mapShape
		}
	case "Fn::Sub":
		values, isMap := map[string]any(nil), false
		if len(list) == 2 {
			values, isMap = list[1].(map[string]any)
		}
		if !isString && (!isMap || !isText(list[0]) || values == nil) {
			wrong = subShape
		}
	case "Fn::If":
		switch {
		case len(list) != 3:
			wrong = ifShape
		case !isText(list[0]):
			wrong = ifCondition
		}
	case "Fn::Equals":
		if len(list) != 2 {
			wrong = equalsShape
		}
	case "Fn::Not":
		if len(list) != 1 {
			wrong = notShape
		}
	case "Fn::And", "Fn::Or":
		if len(list) < 2 || len(list) > 10 {
			wrong = "every " + function + " object requires a list of at least 2 and at most 10 boolean parameters."
		}
	case "Fn::Base64", "Fn::GetAZs", "Fn::ImportValue":
		if _, _, call := intrinsic(argument); isList || !call && argument != nil && !isScalar(argument) {
			wrong = "every " + function + " object must have a String-typed value."
		}
	case "Fn::Cidr", "Condition":
	default:
		return templateError(unsupported, function)
	}
	if wrong != "" {
		return templateError("%s", wrong)
	}
	if function == "Fn::Sub" {
		if isList {
			text = textOf(list[0])
		}
		for _, m := range placeholder.FindAllStringSubmatch(text, -1) {
			if strings.TrimSpace(m[1]) == "" {
				return templateError("%s", subShape)
			}
		}
	}
	return nil
}

func isScalar(v any) bool {
	switch v.(type) {
	case []any, map[string]any:
		return false
	}
	return true
}
