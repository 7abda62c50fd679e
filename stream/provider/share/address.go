package share

import (
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/redis/rueidis"
)

// Address is where a job shares its money and its quota.
type Address struct {
	// Job names what is shared among all processes that use the same server.
	Job string
	// User and Password are what the server asks for; empty for none.
	User, Password string

	shown  string
	option rueidis.ClientOption
}

// String returns the address for people, without the user and the options.
func (a Address) String() string { return a.shown }

// Errors of an address. None quotes the address, because a password may stand anywhere in it.
var (
	// ErrPassword is a password in an address, where everybody on the machine can read it.
	ErrPassword = errors.New("it contains a password, which everybody on the machine can read")
	// ErrNoJob is an address without a path.
	ErrNoJob = errors.New("it has no path, which is the job's name")
)

// options are the options allowed in an address's query: those that rueidis.ParseURL knows.
var options = []string{
	"addr", "client_cache", "client_name", "db", "dial_timeout", "master_set", "max_retries", "protocol", "skip_verify", "write_timeout",
}

// dialTimeout is how long connecting may take, if the address does not say.
const dialTimeout = 3 * time.Second

// ParseAddress reads an address: redis:// (or rediss:// for TLS), a host, and a path that names the
// job. The options of its query are those of rueidis: db picks a database, addr names more nodes of
// a cluster, master_set names the set that Sentinels are asked about, and skip_verify skips the
// check of the certificate.
func ParseAddress(text string) (a Address, err error) {
	u, err := url.Parse(text)
	switch {
	case err != nil || u.Host == "" || !slices.Contains([]string{"redis", "rediss", "valkey", "valkeys"}, u.Scheme):
		return a, errors.New("it is not of the form redis://HOST/JOB or rediss://HOST/JOB")
	case u.Fragment != "":
		return a, errors.New("it has a fragment, the part from # on")
	}
	if _, set := u.User.Password(); set {
		return a, ErrPassword
	}
	a.Job = strings.Trim(u.Path, "/")
	switch {
	case a.Job == "":
		return a, ErrNoJob
	case strings.ContainsFunc(a.Job, func(r rune) bool { return r <= ' ' || r == 0x7f || r == '{' || r == '}' }):
		return a, errors.New("the job's name holds white space or braces")
	}
	query, err := url.ParseQuery(u.RawQuery)
	if err != nil {
		return a, errors.New("its query is not of the form name=value&name=value")
	}
	for name := range query {
		if !slices.Contains(options, name) {
			return a, fmt.Errorf("its query has an option other than %s", strings.Join(options, ", "))
		}
	}
	a.User, a.shown = u.User.Username(), u.Scheme+"://"+u.Host+"/"+a.Job
	u.Path, u.User = "", nil
	if a.option, err = rueidis.ParseURL(u.String()); err != nil {
		return a, errors.New(strings.TrimPrefix(err.Error(), "redis: "))
	}
	return a, nil
}
