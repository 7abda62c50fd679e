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
	{"NOAUTH", false, "--share-password-env NAME says which variable holds the password; a user stands in the URL: redis://USER@HOST/JOB"},
	{"WRONGPASS", false, "the variable of --share-password-env, or the user in the URL, is not what the server knows"},
	{"AUTH", false, "the server knows no password: leave --share-password-env out"},
	{"NOPERM", false, "the user needs EVAL, EVALSHA, INFO, TIME, DEL, EXPIRE, PEXPIRE, HGETALL, HMGET, HSET and HDEL, on the keys llmpipe:*"},
	{"LOADING", true, "it reads its data back from disk after a start: the same command goes on when it has"},
	{"READONLY", true, "it is a replica: name the primary, or wait until it has become that"},
	{"MASTERDOWN", true, "it is a replica without its primary"},
	{"CLUSTERDOWN", true, "a part of the cluster is down"},
	{"OOM", true, "its memory is full: raise its maxmemory, or give it room"},
	{"MISCONF", true, "it cannot write to its disk, and takes no writes until it can"},
	{"NOREPLICAS", true, "too few of its replicas are there for it to take writes"},
	{"BUSY", true, "another script runs there for too long"},
	{"unknown command", false, "it takes no scripts: Redis or Valkey from version 6 on does"},
	{"max number of clients", true, "it has as many clients as it takes: raise its maxclients"},
	{"DB index is out of range", false, "the option db of the URL names a database that it has not"},
}

const unreachableHint = "is the server up, and is this its address? redis-cli -h HOST -p PORT ping tells; rediss:// speaks TLS"

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
