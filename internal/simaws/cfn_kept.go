package simaws

import (
	"errors"
	"fmt"
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"time"
)

// keptResource is a resource of a service that the simulation has no calls of: what its
// stack made of it, for whoever reads the account.
type keptResource struct {
	PhysicalID string
	Properties map[string]any
	Tags       map[string]string
	Created    time.Time
	// Gone is since when a key waits to be deleted.
	Gone time.Time
}

// keptType is a resource type as its schema in CloudFormation's registry has it, with what
// its service demands beyond that.
type keptType struct {
	service    string // as a handler's failure names it
	properties string // "required | optional"
	createOnly []string
	// replaces says for one change that it replaces the resource, beyond createOnly.
	replaces func(before, after map[string]any) bool
	// writeOnly are properties that the handler cannot read: drift never shows them.
	writeOnly []string
	// name is the property that names the resource; without one it is made up, within limit.
	name  string
	limit int
	enums map[string][]string
	shape map[string]*regexp.Regexp
	// members are the properties of lists of objects: "required | optional".
	members map[string]string
	// arn is the resource's, by its name: "service:rest", with %s for the name. attributes
	// are what GetAtt answers beside Arn.
	arn        string
	noArn      bool // GetAtt has no Arn
	attributes func(c resourceCall, id string) map[string]any
	// identify gives the physical id of a new resource of a name; the name without it.
	identify func(s *Sim, c resourceCall, name string) string
	// key is what must be unique, the physical id without it.
	key func(c resourceCall, id string) string
	// taken words that the name is in use; as the registry's own exception without it.
	taken func(s *Sim, c resourceCall, name string) error
	// calls are the IAM actions behind create, update and delete, more adds those that
	// depend on the properties, on is the resource that they name where it is another one.
	calls [3]string
	more  func(c resourceCall) []string
	on    func(s *Sim, c resourceCall) string
	// check is what the service refuses; made what it does on create and update.
	check func(s *Sim, c resourceCall) error
	made  func(s *Sim, c resourceCall)
	// remove takes it away; nil: it is simply gone.
	remove func(s *Sim, c resourceCall, r *keptResource) error
	takes  time.Duration
}

func (r *regionState) keep(kind, key string, resource *keptResource) {
	if r.kept == nil {
		r.kept = map[string]map[string]*keptResource{}
	}
	if r.kept[kind] == nil {
		r.kept[kind] = map[string]*keptResource{}
	}
	r.kept[kind][key] = resource
}

func (t keptType) handler(kind string) resourceHandler {
	return resourceHandler{
		create: func(s *Sim, c resourceCall) (resourceResult, error) { return t.create(s, c, kind) },
		update: func(s *Sim, c resourceCall) (resourceResult, error) { return t.update(s, c, kind) },
		delete: func(s *Sim, c resourceCall) error { return t.delete(s, c, kind) },

		createOnly: t.createOnly, replaces: t.replaces, takes: t.takes,
	}
}

// valid holds properties to the schema; the texts are those of a JSON schema's validator.
func (t keptType) valid(c resourceCall) error {
	if err := properties(c, t.properties, &struct{}{}); err != nil {
		return err
	}
	for _, name := range sortedKeys(t.enums) {
		if v := c.Properties[name]; v != nil && !slices.Contains(t.enums[name], textOf(v)) {
			return invalidProperty(c, "/"+name+": "+textOf(v)+" is not a valid enum value")
		}
	}
	for _, name := range sortedKeys(t.shape) {
		if v := c.Properties[name]; v != nil && !t.shape[name].MatchString(textOf(v)) {
			return invalidProperty(c, "/"+name+": failed validation constraint for keyword [pattern]")
		}
	}
	for _, name := range sortedKeys(t.members) {
		if err := validMembers(c, name, t.members[name]); err != nil {
			return err
		}
	}
	if name := textOf(c.Properties[t.name]); len(name) > t.limit {
		return invalidProperty(c, fmt.Sprintf("/%s: expected maxLength: %d, actual: %d", t.name, t.limit, len(name)))
	}
	return nil
}

func validMembers(c resourceCall, name, members string) error {
	list, isList := c.Properties[name].([]any)
	if c.Properties[name] != nil && !isList {
		return invalidProperty(c, "/"+name+": expected type: JSONArray, found: String")
	}
	required, optional, _ := strings.Cut(members, "|")
	for n, x := range list {
		m, isObject := x.(map[string]any)
		if !isObject {
			return invalidProperty(c, fmt.Sprintf("/%s/%d: expected type: JSONObject, found: String", name, n))
		}
		for _, key := range strings.Fields(required) {
			if m[key] == nil {
				return invalidProperty(c, fmt.Sprintf("/%s/%d: required key [%s] not found", name, n, key))
			}
		}
		for _, key := range sortedKeys(m) {
			if !slices.Contains(strings.Fields(required+" "+optional), key) {
				return invalidProperty(c, fmt.Sprintf("/%s/%d: extraneous key [%s] is not permitted", name, n, key))
			}
		}
	}
	return nil
}

func (t keptType) keyOf(c resourceCall, id string) string {
	if t.key != nil {
		return t.key(c, id)
	}
	return id
}

// arnOf is the ARN of a resource, by its physical id.
func (t keptType) arnOf(s *Sim, c resourceCall, id string) string {
	if t.arn == "" || strings.HasPrefix(id, "arn:") {
		return id
	}
	if strings.HasSuffix(t.arn, "/%s") { // a parameter's name may begin with the slash
		id = strings.TrimPrefix(id, "/")
	}
	return fieldARN(s, c, fmt.Sprintf(t.arn, id))
}

func (t keptType) result(s *Sim, c resourceCall, id string) resourceResult {
	out := resourceResult{PhysicalID: id, Attributes: map[string]any{}}
	if !t.noArn {
		out.Attributes["Arn"] = t.arnOf(s, c, id)
	}
	if t.attributes != nil {
		maps.Copy(out.Attributes, t.attributes(c, id))
	}
	return out
}

// allowed asks the service control policies for each call of a step.
func (t keptType) allowed(s *Sim, c resourceCall, verb int, id string) error {
	resource := t.arnOf(s, c, id)
	if t.on != nil {
		resource = t.on(s, c)
	}
	calls := strings.Fields(t.calls[verb])
	if t.more != nil && verb < 2 {
		calls = append(calls, t.more(c)...)
	}
	for _, action := range calls {
		var refusal policyRefusal
		if err := s.handlerDenied(c, action, resource); errors.As(err, &refusal) {
			return t.refuse(s, http.StatusBadRequest, "AccessDenied", refusal.text)
		}
	}
	return nil
}

func (t keptType) create(s *Sim, c resourceCall, kind string) (resourceResult, error) {
	if err := t.valid(c); err != nil {
		return resourceResult{}, err
	}
	name := textOf(c.Properties[t.name])
	if name == "" {
		name = stackName(s, c, t.limit)
	}
	id := name
	if t.identify != nil {
		id = t.identify(s, c, name)
	}
	if err := t.allowed(s, c, 0, id); err != nil {
		return resourceResult{}, err
	}
	key := t.keyOf(c, id)
	if c.Region.kept[kind][key] != nil {
		if t.taken != nil {
			return resourceResult{}, t.taken(s, c, name)
		}
		return resourceResult{}, alreadyExists(s, kind, fmt.Sprintf(`"/properties/%s":"%s"`, t.name, name))
	}
	if t.check != nil {
		if err := t.check(s, c); err != nil {
			return resourceResult{}, err
		}
	}
	c.Region.keep(kind, key, &keptResource{PhysicalID: id, Properties: c.Properties, Tags: maps.Clone(c.Tags), Created: s.clock.Now()})
	if t.made != nil {
		t.made(s, c)
	}
	return t.result(s, c, id), nil
}

func (t keptType) update(s *Sim, c resourceCall, kind string) (resourceResult, error) {
	if err := t.valid(c); err != nil {
		return resourceResult{}, err
	}
	if err := t.allowed(s, c, 1, c.PhysicalID); err != nil {
		return resourceResult{}, err
	}
	there := c.Region.kept[kind][t.keyOf(c, c.PhysicalID)]
	if there == nil || !there.Gone.IsZero() {
		return resourceResult{}, handlerMessage(s, "NotFound", fmt.Sprintf("Resource of type '%s' with identifier '%s' was not found.", kind, c.PhysicalID))
	}
	if t.check != nil {
		if err := t.check(s, c); err != nil {
			return resourceResult{}, err
		}
	}
	there.Properties, there.Tags = c.Properties, maps.Clone(c.Tags)
	if t.made != nil {
		t.made(s, c)
	}
	return t.result(s, c, c.PhysicalID), nil
}

func (t keptType) delete(s *Sim, c resourceCall, kind string) error {
	key := t.keyOf(c, c.PhysicalID)
	there := c.Region.kept[kind][key]
	if there == nil {
		return nil
	}
	if err := t.allowed(s, c, 2, c.PhysicalID); err != nil {
		return err
	}
	if t.remove != nil {
		if err := t.remove(s, c, there); err != nil {
			return err
		}
		if !there.Gone.IsZero() {
			return nil
		}
	}
	delete(c.Region.kept[kind], key)
	return nil
}

// readKeptDrift reads what the type's handler reads.
func readKeptDrift(_ *account, r *regionState, res *stackResource) (map[string]any, bool) {
	t := keptTypes[res.Type]
	there := r.kept[res.Type][t.keyOf(resourceCall{Properties: res.Properties}, res.PhysicalID)]
	if there == nil || !there.Gone.IsZero() {
		return nil, false
	}
	now := map[string]any{}
	for name, expected := range res.Properties { // only what the template names is compared
		switch v, has := there.Properties[name]; {
		case slices.Contains(t.writeOnly, name):
			now[name] = expected
		case has:
			now[name] = v
		}
	}
	return now, true
}

// fieldARN writes an ARN of a resource in its Region; what is "service:rest".
func fieldARN(s *Sim, c resourceCall, what string) string {
	service, rest, _ := strings.Cut(what, ":")
	return "arn:" + s.world.partition + ":" + service + ":" + c.Region.name + ":" + c.Account.ID + ":" + rest
}

func (t keptType) refuse(s *Sim, status int, code, message string) error {
	return handlerError(s, t.service, status, code, message)
}

func notFound(s *Sim, service, message string) error {
	return handlerError(s, service, http.StatusNotFound, "NotFound", message)
}

// handlerMessage words a failure that a handler finds by itself, without a call.
func handlerMessage(s *Sim, code, message string) error {
	return statusReason(fmt.Sprintf("Resource handler returned message: \"%s\" (RequestToken: %s, HandlerErrorCode: %s)", message, s.ids.uuid(), code))
}

// alreadyExists is the registry's own exception, as observed for log groups
// (aws-solutions/amazon-marketing-cloud-uploader-from-aws#167).
func alreadyExists(s *Sim, kind, identifier string) error {
	return handlerMessage(s, "AlreadyExists", fmt.Sprintf("Resource of type '%s' with identifier '{%s}' already exists.", kind, identifier))
}
