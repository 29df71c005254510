# The targets are the lines of .ci/run, for use at a desk.
.PHONY: build test vet lint race fuzz ci demo

build:
	go build -trimpath -o rollout ./cmd/rollout

demo:
	go run ./cmd/rollout --sim --ou Workloads --region us-east-1,eu-west-1 --remediation automatic --yes

test:
	go test ./...

race:
	go test -race ./...

vet:
	go vet ./...
	@test -z "$$(gofmt -l .)" || { gofmt -l .; echo "gofmt: the files above want formatting"; exit 1; }

lint: vet
	go tool staticcheck ./...

fuzz:
	.ci/fuzz 20000x

ci:
	bash .ci/run
