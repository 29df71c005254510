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
