package stackset

import (
	"errors"
	"fmt"
	"regexp"
	"strings"

	"rollout/templates"
)

// whole is what every number of an embedded template is.
var whole = regexp.MustCompile(`^[0-9]+$`)

// checkEmbedded refuses a value of an embedded template's parameter that CloudFormation
// would pass on, for a service to refuse it in each account: a fraction, or the ARN of
// what is somewhere else.
func checkEmbedded(d Desired, p templates.Parameter, value string) error {
	if p.Type == "Number" && !whole.MatchString(value) {
		return errors.New("it is to be a whole number")
	}
	part := strings.SplitN(value, ":", 6)
	if part[0] != "arn" || len(part) < 6 {
		return nil
	}
	if d.Partition != "" && part[1] != d.Partition {
		return fmt.Errorf("it is of partition %s, and the organization is in %s", part[1], d.Partition)
	}
	// A bucket takes keys of its own Region only (S3 user guide, "Specifying server-side
	// encryption with AWS KMS"), and recording-base's is in the home Region.
	if part[2] == "kms" && part[3] != d.HomeRegion {
		return fmt.Errorf("the key is in %s, and the bucket that it is to encrypt in the home Region, %s", orNone(part[3]), d.HomeRegion)
	}
	return nil
}
