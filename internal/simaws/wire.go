package simaws

import "net/http"

// protocol is an AWS wire protocol.
type protocol int

const (
	protocolJSON11 protocol = iota + 1
	protocolQuery
	protocolEC2
	protocolREST
	protocolS3
)

// New makes a simulated organization.
func New(opts Options) *Sim { panic("core helper") }

func (s *Sim) serve(w http.ResponseWriter, r *http.Request) {}

type issuedKey struct{}

type limits struct{}

type stats struct{}
