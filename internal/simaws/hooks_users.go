package simaws

import (
	"strconv"
	"time"
)

// UserKey is an access key to give to a user.
type UserKey struct {
	Age      time.Duration
	Idle     time.Duration // since it was last used; 0 for never
	Inactive bool
}

// PutUser gives an account an IAM user with access keys, and gives the user's id and those
// of the keys.
func (s *Sim) PutUser(owner, name string, keys ...UserKey) (id string, keyIDs []string) {
	s.change(owner, func(a *account) {
		now := s.clock.Now()
		u := &iamUser{Name: name, Path: "/", ID: "AIDA" + steadyID(17, a.ID, name), Created: now}
		for i, k := range keys {
			key := &accessKey{ID: "AKIA" + steadyID(16, a.ID, name, strconv.Itoa(i)), Active: !k.Inactive, Created: now.Add(-k.Age)}
			if k.Idle > 0 {
				key.Used, key.UsedService, key.UsedIn = now.Add(-k.Idle), "s3", "us-east-1"
			}
			u.Keys, keyIDs = append(u.Keys, key), append(keyIDs, key.ID)
		}
		s.users(a)[name], id = u, u.ID
	})
	return id, keyIDs
}

// BucketSpec is a bucket to give to an account. It blocks no public access.
type BucketSpec struct {
	Public, Website, Listed, Exempt bool // its policy, its website, its access control list, its tag
}

// PutBucket gives an account a bucket.
func (s *Sim) PutBucket(owner, region, name string, spec BucketSpec) {
	s.change(owner, func(a *account) {
		b := &bucket{Name: name, Owner: a.ID, Region: region, Objects: map[string][]byte{}, settings: bucketSettings{website: spec.Website, tags: map[string]string{}}}
		if spec.Public {
			policy, err := parsePolicy(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":"*","Action":"s3:GetObject","Resource":"arn:aws:s3:::` + name + `/*"}]}`)
			b.Policy, b.HasPolicy = policy, err == nil
		}
		if spec.Listed {
			b.settings.grants = []bucketGrant{{"AllUsers", "READ"}}
		}
		if spec.Exempt {
			b.settings.tags["rollout-exempt"] = "downloads"
		}
		a.buckets[name], s.world.globalBuckets[name] = b, b
		a.region(region)
		s.bucketChanged(b)
	})
}

// BucketBlocks says whether all of a bucket's Block Public Access is on.
func (s *Sim) BucketBlocks(owner, name string) bool {
	on := false
	s.change(owner, func(a *account) {
		b := a.buckets[name]
		on = b != nil && b.settings.block != nil && *b.settings.block == publicBlock{true, true, true, true}
	})
	return on
}
