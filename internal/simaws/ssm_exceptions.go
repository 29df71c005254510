package simaws

import (
	"errors"
	"fmt"
	"strings"

	"go.starlark.net/starlark"
)

// exceptionClass is what an except clause names. An empty code is any; the class
// Exception is of everything that a script can catch.
type exceptionClass struct{ name, code string }

func (c *exceptionClass) String() string        { return "<class '" + c.name + "'>" }
func (c *exceptionClass) Type() string          { return "type" }
func (c *exceptionClass) Freeze()               {}
func (c *exceptionClass) Truth() starlark.Bool  { return true }
func (c *exceptionClass) Hash() (uint32, error) { return starlark.String(c.name).Hash() }

var anyException, clientError = &exceptionClass{name: "Exception"}, &exceptionClass{name: "ClientError"}

// modelledErrors are, for the services that scripts may call, the errors that a
// client has as classes in client.exceptions, by class, with the code on the wire
// where it differs (botocore's service models). S3's settings of a bucket have none:
// NoSuchPublicAccessBlockConfiguration and the like are ClientErrors only.
var modelledErrors = map[string]string{
	"iam": `ConcurrentModificationException=ConcurrentModification DeleteConflictException=DeleteConflict EntityAlreadyExistsException=EntityAlreadyExists
		EntityTemporarilyUnmodifiableException=EntityTemporarilyUnmodifiable InvalidInputException=InvalidInput LimitExceededException=LimitExceeded
		MalformedPolicyDocumentException=MalformedPolicyDocument NoSuchEntityException=NoSuchEntity PolicyNotAttachableException=PolicyNotAttachable
		ServiceFailureException=ServiceFailure UnmodifiableEntityException=UnmodifiableEntity`,
	"ecs":       "AccessDeniedException ClientException ClusterNotFoundException InvalidParameterException ServerException ServiceNotFoundException",
	"lambda":    "InvalidParameterValueException ResourceNotFoundException ServiceException TooManyRequestsException",
	"s3":        "AccessDenied BucketAlreadyExists BucketAlreadyOwnedByYou InvalidRequest NoSuchBucket NoSuchKey NoSuchUpload",
	"s3control": "BadRequestException NoSuchPublicAccessBlockConfiguration NotFoundException",
}

// exceptionsOf is client.exceptions.
func exceptionsOf(service string) starlark.Value {
	o := &object{name: strings.ToUpper(service) + "Exceptions", attrs: map[string]starlark.Value{"ClientError": clientError}}
	for _, word := range strings.Fields(modelledErrors[service]) {
		name, code, renamed := strings.Cut(word, "=")
		if !renamed {
			code = name
		}
		o.attrs[name] = &exceptionClass{name, code}
	}
	return o
}

// tried serves _try(call): what became of the call, with ok, value, caught(class),
// error and again(). A script that has run too long is not caught.
func tried(thread *starlark.Thread, _ *starlark.Builtin, args starlark.Tuple, _ []starlark.Tuple) (starlark.Value, error) {
	value, failure := starlark.Call(thread, args[0], nil, nil)
	if failure != nil && strings.Contains(failure.Error(), "Starlark computation cancelled") {
		return nil, failure
	}
	if failure == nil {
		return &object{name: "outcome", attrs: map[string]starlark.Value{"ok": starlark.True, "value": value}}, nil
	}
	caught := function("caught", func(_ *starlark.Thread, _ *starlark.Builtin, args starlark.Tuple, _ []starlark.Tuple) (starlark.Value, error) {
		class, ok := args[0].(*exceptionClass)
		if !ok {
			return nil, &scriptError{class: "TypeError", message: "catching classes that do not inherit from BaseException is not allowed"}
		}
		return starlark.Bool(class.covers(failure)), nil
	})
	again := function("again", func(*starlark.Thread, *starlark.Builtin, starlark.Tuple, []starlark.Tuple) (starlark.Value, error) {
		return nil, failure
	})
	return &object{name: "outcome", attrs: map[string]starlark.Value{"ok": starlark.False, "caught": caught, "again": again, "error": caughtError(failure)}}, nil
}

func (c *exceptionClass) covers(failure error) bool {
	var raised *scriptError
	if c == anyException {
		return true
	}
	return errors.As(failure, &raised) && raised.class == "ClientError" && (c.code == "" || c.code == raised.code)
}

// pythonError is what "as e" binds.
type pythonError struct {
	object
	text string
}

func (e *pythonError) String() string { return e.text }

func caughtError(failure error) starlark.Value {
	var raised *scriptError
	if !errors.As(failure, &raised) {
		return &pythonError{object{name: "Exception"}, failure.Error()}
	}
	e := &pythonError{object{name: raised.class, attrs: map[string]starlark.Value{}}, raised.message}
	if raised.class == "ClientError" {
		response, err := toStarlark(map[string]any{"Error": map[string]any{"Code": raised.code, "Message": raised.said}}, 0)
		if err != nil {
			panic(fmt.Sprint("an error's own texts: ", err))
		}
		e.attrs["response"] = response
	}
	return e
}
