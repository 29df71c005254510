package orgs

import (
	"bytes"
	"encoding/json"
	"fmt"
)

// statement is one of a service control policy or a resource control policy, whose
// principal is everybody (Organizations user guide, SCP syntax and RCP syntax).
type statement struct {
	Sid, Effect                              string
	Action, NotAction, Resource, NotResource listOf[string]
	Condition                                map[string]map[string]scalars
}

// listOf is a list that a policy may write as its one item.
type listOf[T any] []T

func (l *listOf[T]) UnmarshalJSON(text []byte) error {
	if text = bytes.TrimSpace(text); len(text) > 0 && text[0] == '[' {
		return json.Unmarshal(text, (*[]T)(l))
	}
	var one T
	if err := json.Unmarshal(text, &one); err != nil {
		return err
	}
	*l = listOf[T]{one}
	return nil
}

// scalars are a condition's values: strings, numbers and booleans, one or several.
type scalars []string

func (s *scalars) UnmarshalJSON(text []byte) error {
	var list listOf[any]
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.UseNumber()
	if err := decoder.Decode(&list); err != nil {
		return err
	}
	for _, v := range list {
		switch v.(type) {
		case string, bool, json.Number, float64:
			*s = append(*s, fmt.Sprint(v))
		default:
			return fmt.Errorf("a condition's value is a %T", v)
		}
	}
	return nil
}
