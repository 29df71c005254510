package simaws

import (
	"encoding/json"
	"net/http"
	"strings"
	"time"
)

// cloudwatchOps are CloudWatch's calls. Its SigV4 name is monitoring, and its IAM actions
// begin with cloudwatch.
var cloudwatchOps = map[string]handler{"GetMetricData": getMetricData}

// cborAction is the operation in the path of Smithy's RPC v2 protocol, as the Go SDK speaks
// it (/service/GraniteServiceVersion20100801/operation/GetMetricData), or in the header of
// JSON 1.0, as boto3 does.
func cborAction(svc *service, r *http.Request) string {
	if action, asJSON := jsonAction(r); asJSON {
		prefix, name, _ := strings.Cut(action, ".")
		if prefix != svc.target {
			return ""
		}
		return name
	}
	action, _ := strings.CutPrefix(r.URL.Path, "/service/"+svc.target+"/operation/")
	if strings.HasPrefix(action, "/") {
		return ""
	}
	return action
}

// jsonAction is the header that names a call of a JSON protocol.
func jsonAction(r *http.Request) (action string, asJSON bool) {
	action = r.Header.Get("X-Amz-Target")
	return action, action != ""
}

// getMetricData serves over the wire what scripts are served.
func getMetricData(s *Sim, c *call) (any, error) {
	var members any
	var err error
	_, asJSON := jsonAction(c.Request)
	if asJSON {
		err = json.Unmarshal(c.Body, &members)
	} else {
		members, err = readCBOR(c.Body)
	}
	in, isMap := members.(map[string]any)
	if err != nil || !isMap {
		return nil, fail(http.StatusBadRequest, "SerializationException", "the members of "+c.Action+" could not be read")
	}
	a := s.world.accounts[c.Caller.Account]
	who := func(x access) error { return denial(services["monitoring"], s.allowed(c.Caller, x)) }
	out, err := s.apiDo(who, a, a.region(c.Region), "cloudwatch", c.Action, in)
	if err != nil {
		return nil, err
	}
	results, _ := out["MetricDataResults"].([]any)
	for _, raw := range results {
		if result, _ := raw.(map[string]any); result != nil {
			result["Timestamps"] = instants(result["Timestamps"], asJSON)
		}
	}
	return out, nil
}

// instants are the times of a list of texts; JSON has them as numbers of seconds.
func instants(v any, asNumbers bool) []any {
	out := []any{}
	list, _ := v.([]any)
	for _, item := range list {
		at, _ := time.Parse(time.RFC3339, scalarOr(item))
		if asNumbers {
			out = append(out, at.Unix())
		} else {
			out = append(out, at)
		}
	}
	return out
}

// writeCBOR answers in the protocol of the request. A service that once spoke the query
// protocol gives that one's error codes in a header (Smithy, awsQueryCompatible trait).
func writeCBOR(w http.ResponseWriter, c *call, body any, e *apiError) int {
	h, write := w.Header(), func(v any) []byte { return appendCBOR(nil, v) }
	if _, asJSON := jsonAction(c.Request); asJSON {
		h.Set("Content-Type", "application/x-amz-json-1.0")
		write = marshal
	} else {
		h.Set("Content-Type", "application/cbor")
		h.Set("Smithy-Protocol", "rpc-v2-cbor")
	}
	if e != nil {
		side := "Sender"
		if e.Status >= 500 {
			side = "Receiver"
		}
		h.Set("X-Amzn-Query-Error", e.Code+";"+side)
		return send(w, e.Status, write(map[string]any{"__type": "com.amazonaws." + c.Service + "#" + e.Code, "message": e.Message, "Message": e.Message}))
	}
	if body == nil {
		body = map[string]any{}
	}
	return send(w, http.StatusOK, write(body))
}
