package simaws

import (
	"fmt"
	"strings"
)

// channelInput is a DeliveryChannel as PutDeliveryChannel and CloudFormation
// (with capital letters) send it.
type channelInput struct {
	Name, S3BucketName, S3KeyPrefix, S3KmsKeyArn, SnsTopicARN string
	ConfigSnapshotDeliveryProperties                          *struct{ DeliveryFrequency string }
}

type channelNames struct{ DeliveryChannelNames []string }

// pickChannel gives the channel when it is among the names or none was named.
func pickChannel(r *regionState, names []string) ([]*deliveryChannel, error) {
	for _, name := range names {
		if r.channel == nil || r.channel.Name != name {
			return nil, noSuchChannel(name)
		}
	}
	if r.channel == nil {
		return nil, nil
	}
	return []*deliveryChannel{r.channel}, nil
}

func noSuchChannel(name string) error {
	return fail(400, "NoSuchDeliveryChannelException", "Cannot find delivery channel with specified name '"+name+"'.")
}

func describeChannels(s *Sim, c *call) (any, error) {
	var in channelNames
	if err := decode(c, &in); err != nil {
		return nil, err
	}
	_, r := s.place(c)
	picked, err := pickChannel(r, in.DeliveryChannelNames)
	if err != nil {
		return nil, err
	}
	list := []any{}
	for _, ch := range picked {
		m := map[string]any{"name": ch.Name, "s3BucketName": ch.Bucket}
		setText(m, "s3KeyPrefix", ch.KeyPrefix)
		setText(m, "s3KmsKeyArn", ch.KMSKey)
		setText(m, "snsTopicARN", ch.Topic)
		if ch.Frequency != "" {
			m["configSnapshotDeliveryProperties"] = map[string]any{"deliveryFrequency": ch.Frequency}
		}
		list = append(list, m)
	}
	return map[string]any{"DeliveryChannels": list}, nil
}

func describeChannelStatus(s *Sim, c *call) (any, error) {
	var in channelNames
	if err := decode(c, &in); err != nil {
		return nil, err
	}
	_, r := s.place(c)
	picked, err := pickChannel(r, in.DeliveryChannelNames)
	if err != nil {
		return nil, err
	}
	list := []any{}
	for _, ch := range picked {
		m := map[string]any{"name": ch.Name, "configSnapshotDeliveryInfo": ch.snapshotInfo(), "configHistoryDeliveryInfo": map[string]any{}}
		stream := map[string]any{"lastStatus": "Not_Applicable"} // only with an SNS topic
		if ch.Topic != "" && r.recorder != nil {
			stream["lastStatus"] = "Success"
			setTime(stream, "lastStatusChangeTime", r.recorder.LastStatusChanged)
		}
		m["configStreamDeliveryInfo"] = stream
		list = append(list, m)
	}
	return map[string]any{"DeliveryChannelsStatus": list}, nil
}

func putChannelCall(s *Sim, c *call) (any, error) {
	var in struct{ DeliveryChannel *channelInput }
	if err := decode(c, &in); err != nil {
		return nil, err
	}
	if in.DeliveryChannel == nil {
		return nil, missing("deliveryChannel")
	}
	in.DeliveryChannel.Name = orElse(in.DeliveryChannel.Name, "default")
	a, r := s.place(c)
	return map[string]any{}, s.putChannel(a, r, *in.DeliveryChannel)
}

// putChannel creates the channel or, under the same name, changes it. AWS Config
// proves that it can write to the bucket before it answers.
func (s *Sim) putChannel(a *account, r *regionState, in channelInput) error {
	if r.recorder == nil || r.recorder.ServicePrincipal != "" {
		return fail(400, "NoAvailableConfigurationRecorderException", "Configuration recorder is not available to put delivery channel.")
	}
	return s.setChannel(a, r, in, s.checkDelivery)
}

// setChannel is putChannel without a look at the recorder.
func (s *Sim) setChannel(a *account, r *regionState, in channelInput, check func(*account, *regionState, channelInput) error) error {
	if r.channel != nil && r.channel.Name != in.Name {
		return fail(400, "MaxNumberOfDeliveryChannelsExceededException",
			fmt.Sprintf("Failed to put delivery channel '%s' because the maximum number of delivery channels: 1 is reached.", in.Name))
	}
	if err := check(a, r, in); err != nil {
		return err
	}
	ch := &deliveryChannel{Name: in.Name, Bucket: in.S3BucketName, KeyPrefix: in.S3KeyPrefix, KMSKey: in.S3KmsKeyArn, Topic: in.SnsTopicARN}
	if p := in.ConfigSnapshotDeliveryProperties; p != nil {
		switch p.DeliveryFrequency {
		case "One_Hour", "Three_Hours", "Six_Hours", "Twelve_Hours", "TwentyFour_Hours":
			ch.Frequency = p.DeliveryFrequency
		default:
			return fail(400, "ValidationException", fmt.Sprintf("1 validation error detected: Value '%s' at 'deliveryChannel.configSnapshotDeliveryProperties.deliveryFrequency' "+
				"failed to satisfy constraint: Member must satisfy enum value set: [One_Hour, Three_Hours, Six_Hours, Twelve_Hours, TwentyFour_Hours]", p.DeliveryFrequency))
		}
	}
	r.channel = ch
	s.deliver(a, ch, "ConfigWritabilityCheckFile", nil)
	return nil
}

// deliver writes an object as Config does, under the account's prefix. That the
// file of the check is written and stays is seen wherever a stack with bucket and
// channel is deleted: the bucket is not empty.
func (s *Sim) deliver(a *account, ch *deliveryChannel, name string, body []byte) {
	b := s.findBucket(a, ch.Bucket)
	if b == nil {
		return
	}
	prefix := strings.Trim(ch.KeyPrefix, "/")
	if prefix != "" {
		prefix += "/"
	}
	if b.Objects == nil {
		b.Objects = map[string][]byte{}
	}
	b.put(prefix+"AWSLogs/"+a.ID+"/Config/"+name, body, s.clock.Now())
}

// checkDelivery is AWS's own check: the recorder's role, the bucket, and, for a
// service-linked role, the bucket policy that lets config.amazonaws.com write
// (developer guide, s3-bucket-policy). A role of the customer's is taken to have
// its permissions. Texts: aws/aws-cli#3516, hashicorp/terraform-provider-aws#8655,
// awslabs/landing-zone-accelerator-on-aws#127.
func (s *Sim) checkDelivery(a *account, r *regionState, in channelInput) error {
	role := a.roles[r.recorder.RoleARN[strings.LastIndex(r.recorder.RoleARN, "/")+1:]]
	if role == nil || role.ARN != "" && role.ARN != r.recorder.RoleARN {
		return fail(400, "InsufficientDeliveryPolicyException", insufficientDelivery+in.S3BucketName+", unable to assume role: "+r.recorder.RoleARN+".")
	}
	if role.ServiceName == "" && !strings.Contains(r.recorder.RoleARN, "/aws-service-role/") {
		_, err := s.deliveryBucket(a, in.S3BucketName)
		return err
	}
	return s.checkBucket(a, r, in)
}

const insufficientDelivery = "Insufficient delivery policy to s3 bucket: "

func (s *Sim) deliveryBucket(a *account, name string) (*bucket, error) {
	if name == "" {
		return nil, fail(400, "NoSuchBucketException", "Cannot find a S3 bucket with an empty bucket name.")
	}
	b := s.findBucket(a, name)
	if b == nil {
		return nil, fail(400, "NoSuchBucketException", "Cannot find a S3 bucket with bucket name '"+name+"'.")
	}
	return b, nil
}

// checkBucket is the part of the check that looks at the bucket's policy.
func (s *Sim) checkBucket(a *account, r *regionState, in channelInput) error {
	b, err := s.deliveryBucket(a, in.S3BucketName)
	if err != nil {
		return err
	}
	bucketARN := "arn:" + s.world.partition + ":s3:::" + b.Name
	prefix := strings.Trim(in.S3KeyPrefix, "/")
	if prefix != "" {
		prefix += "/"
	}
	context := map[string]string{
		"aws:sourceaccount": a.ID, "s3:x-amz-acl": "bucket-owner-full-control", "aws:securetransport": "true",
		"aws:sourcearn":             "arn:" + s.world.partition + ":config:" + r.name + ":" + a.ID + ":configuration-recorder",
		"aws:principalisawsservice": "true", "aws:principalservicename": "config.amazonaws.com",
	}
	for _, need := range []struct{ action, resource, words string }{
		{"s3:GetBucketAcl", bucketARN, "unable to get s3 bucket acl"},
		{"s3:PutObject", bucketARN + "/" + prefix + "AWSLogs/" + a.ID + "/Config/ConfigWritabilityCheckFile", "unable to write to bucket"},
	} {
		if b.HasPolicy && allowsService(b.Policy, "config.amazonaws.com", need.action, need.resource, context) {
			continue
		}
		words := insufficientDelivery + in.S3BucketName + ", " + need.words
		if need.action == "s3:PutObject" {
			words += ", provided s3 key prefix is '" + orElse(in.S3KeyPrefix, "null") + "', provided kms key is '" + orElse(in.S3KmsKeyArn, "null") + "'"
		}
		return fail(400, "InsufficientDeliveryPolicyException", words+".")
	}
	return nil
}

// findBucket finds a bucket that the account can name: its own, also in its own
// namespace, or anybody's global one.
func (s *Sim) findBucket(a *account, name string) *bucket {
	if b := a.buckets[name]; b != nil {
		return b
	}
	return s.world.globalBuckets[name]
}

func deleteChannelCall(s *Sim, c *call) (any, error) {
	var in struct{ DeliveryChannelName string }
	if err := decode(c, &in); err != nil {
		return nil, err
	}
	_, r := s.place(c)
	return map[string]any{}, s.deleteChannel(r, in.DeliveryChannelName)
}

func (s *Sim) deleteChannel(r *regionState, name string) error {
	if r.channel == nil || r.channel.Name != name {
		return noSuchChannel(name)
	}
	if r.recorder != nil && r.recorder.Recording {
		return fail(400, "LastDeliveryChannelDeleteFailedException",
			fmt.Sprintf("Failed to delete last specified delivery channel with name '%s', because there, because there is a running configuration recorder.", name))
	}
	r.channel = nil
	return nil
}
