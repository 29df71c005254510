package simaws

import (
	"net/http"
	"slices"
	"strings"
)

var snsProtocols = strings.Fields("http https email email-json sms sqs application lambda firehose")

func checkSubscription(s *Sim, c resourceCall) error {
	protocol, endpoint := textOf(c.Properties["Protocol"]), textOf(c.Properties["Endpoint"])
	refuse := func(message string) error {
		return handlerError(s, "Sns", http.StatusBadRequest, "InvalidRequest", "Invalid parameter: "+message)
	}
	switch {
	case !slices.Contains(snsProtocols, protocol):
		return refuse("Amazon SNS does not support this protocol string: " + protocol)
	case endpoint == "":
		return refuse("Endpoint must not be null or empty")
	case strings.HasPrefix(protocol, "email") && !strings.Contains(endpoint, "@"):
		return refuse("Email address")
	case strings.HasPrefix(protocol, "http") && !strings.HasPrefix(endpoint, protocol+"://"):
		return refuse("Endpoint must match the specified protocol")
	case !s.topicThere(textOf(c.Properties["TopicArn"])):
		return notFound(s, "Sns", "Topic does not exist")
	}
	return nil
}

// topicThere finds a topic anywhere in the organization.
func (s *Sim) topicThere(arn string) bool {
	part := strings.Split(arn, ":")
	if len(part) != 6 {
		return false
	}
	a := s.world.accounts[part[4]]
	return a != nil && a.regions[part[3]] != nil && a.regions[part[3]].topics[arn]
}

func checkTopicPolicy(s *Sim, c resourceCall) error {
	if _, err := parsePolicy(c.Properties["PolicyDocument"]); err != nil {
		return handlerError(s, "Sns", http.StatusBadRequest, "InvalidRequest", "Invalid parameter: Policy Error: null")
	}
	for _, topic := range texts(c.Properties["Topics"]) {
		if !c.Region.topics[topic] {
			return notFound(s, "Sns", "Topic does not exist")
		}
	}
	return nil
}

// topicGone: subscriptions and policies go with their topic (API reference, DeleteTopic).
func topicGone(r *regionState, arn string) {
	for id, sub := range r.kept["AWS::SNS::Subscription"] {
		if textOf(sub.Properties["TopicArn"]) == arn {
			delete(r.kept["AWS::SNS::Subscription"], id)
		}
	}
	for id, policy := range r.kept["AWS::SNS::TopicPolicy"] {
		if !slices.ContainsFunc(texts(policy.Properties["Topics"]), func(topic string) bool { return topic != arn && r.topics[topic] }) {
			delete(r.kept["AWS::SNS::TopicPolicy"], id)
		}
	}
}
