package share

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"strings"

	"github.com/redis/rueidis"
)

// Trouble says why a server does not do what it is asked.
type Trouble struct {
	Address string // for people
	Err     error
	Hint    string // what the reader can do next
	Passes  bool   // it may pass without anybody doing anything
}

// Error implements error.
func (t *Trouble) Error() string { return fmt.Sprintf("--share %s: %v", t.Address, t.Err) }

// Unwrap returns Err.
func (t *Trouble) Unwrap() error { return t.Err }

// said lists the replies of servers that do not do what they are asked, by how the reply begins.
// The words are those of Redis 7 and Valkey 8 (server.c, acl.c, networking.c, cluster.c).
var said = []struct {
	begins string
	passes bool
	hint   string
}{
	{"NOAUTH", false, "name the variable that holds the password with --share-password-env; put a user into the URL: redis://USER@HOST/JOB"},
	{"WRONGPASS", false, "check the password in the variable of --share-password-env, and the user in the URL"},
	{"AUTH", false, "leave --share-password-env out: the server has no password"},
	{"NOPERM", false, "allow the user EVAL, EVALSHA, INFO, TIME, DEL, EXPIRE, PEXPIRE, HGETALL, HMGET, HSET and HDEL, on the keys llmpipe:*"},
	{"LOADING", true, "wait until the server has loaded its data from disk, then run the same command again"},
	{"READONLY", true, "name the primary: this server is a replica; or wait until it has become the primary"},
	{"MASTERDOWN", true, "check the primary: this server is a replica that cannot reach it"},
	{"CLUSTERDOWN", true, "check the cluster: a part of it is down"},
	{"OOM", true, "raise the server's maxmemory, or free some of its memory: it is full"},
	{"MISCONF", true, "check the server's disk: it takes no writes until it can save its data"},
	{"NOREPLICAS", true, "check the server's replicas: with so few of them it takes no writes"},
	{"BUSY", true, "check the server: another script has been running there for too long"},
	{"unknown command", false, "use Redis or Valkey from version 6 on: this server runs no scripts"},
	{"max number of clients", true, "raise the server's maxclients: it has as many clients as it allows"},
	{"DB index is out of range", false, "check the option db in the URL: the server has no such database"},
}

const unreachableHint = "check that the server is up at this address: redis-cli -h HOST -p PORT ping; rediss:// speaks TLS"

// trouble returns err in a form for people.
func (s *Share) trouble(err error) error { return troubleAt(s.address, err) }

func troubleAt(a Address, err error) *Trouble {
	t := &Trouble{Address: a.String(), Err: err}
	var redis *rueidis.RedisError
	if !errors.As(err, &redis) {
		t.Passes, t.Hint = true, unreachableHint
		var network net.Error
		if errors.Is(err, context.DeadlineExceeded) || errors.Is(err, os.ErrDeadlineExceeded) || errors.As(err, &network) && network.Timeout() {
			t.Err = errors.New("it does not answer in time")
		}
		return t
	}
	for _, s := range said {
		if strings.HasPrefix(strings.TrimPrefix(redis.Error(), "ERR "), s.begins) {
			t.Passes, t.Hint = s.passes, s.hint
			break
		}
	}
	if a.Password != "" {
		t.Err = errors.New(strings.ReplaceAll(redis.Error(), a.Password, "…"))
	}
	return t
}
