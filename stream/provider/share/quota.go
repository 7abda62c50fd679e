package share

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/redis/rueidis"

	"llmpipe/limiter"
	"llmpipe/limiter/lease"
)

// Quota is the half that leases what providers allow. A lane is one provider under one key: all
// processes of the job that ask it share what it allows.
type Quota struct {
	share *Share
	id    string // of this process
	lanes []*laneQuota
	asked []*laneQuota // in the call that is under way
}

// laneQuota is one limiter's part in a lane.
type laneQuota struct {
	share   *Share
	key     string
	number  int    // of the key
	worker  string // to the others
	limiter *limiter.Limiter
	called  time.Time // the last ask; zero: none yet
}

// NewQuota is the half for a process that has no lanes yet.
func NewQuota(s *Share) *Quota { return &Quota{share: s, id: rand.Text()[:12]} }

// LaneID names a lane to all processes of the job: the same address and the same secret, a key or
// the command that prints it, are the same lane. The secret cannot be found out from it by those
// who do not know it.
func (a Address) LaneID(baseURL, secret string) string {
	mac := hmac.New(sha256.New, []byte(a.Job))
	mac.Write([]byte(plainURL(baseURL) + "\n" + secret))
	return "lane:" + hex.EncodeToString(mac.Sum(nil)[:16])
}

// plainURL is an address as all spell it.
func plainURL(text string) string {
	u, err := url.Parse(text)
	if err != nil {
		return text
	}
	u.Scheme, u.Host = strings.ToLower(u.Scheme), strings.ToLower(u.Host)
	if port := u.Port(); u.Scheme == "http" && port == "80" || u.Scheme == "https" && port == "443" {
		u.Host = strings.TrimSuffix(u.Host, ":"+port)
	}
	u.Path = strings.TrimRight(u.Path, "/")
	u.User, u.Fragment = nil, ""
	return u.String()
}

// Lane returns what the limiter of a lane leases its quota by: that is [limiter.Config.Share], and
// is handed to [Quota.Serve] with the limiter. All of it is done before [Share.Start].
func (q *Quota) Lane(baseURL, secret string) limiter.Sharer {
	l := &laneQuota{
		share: q.share, key: q.share.address.LaneID(baseURL, secret),
		worker: q.id + "-" + strconv.Itoa(len(q.lanes)),
	}
	q.lanes = append(q.lanes, l)
	return l
}

// Serve says which limiter leases by s.
func (q *Quota) Serve(s limiter.Sharer, l *limiter.Limiter) { s.(*laneQuota).limiter = l }

// Want implements [limiter.Sharer].
func (l *laneQuota) Want() { l.share.Wake() }

// Keys implements [Part].
func (q *Quota) Keys() (keys []string) {
	for _, l := range q.lanes {
		at := slices.Index(keys, l.key)
		if at < 0 {
			at, keys = len(keys), append(keys, l.key)
		}
		l.number = at + 1
	}
	return keys
}

// laneAsk is an ask as the script gets it.
type laneAsk struct {
	Lane   int           `json:"lane"` // the number of its key
	Worker string        `json:"worker"`
	Bounds lease.Amounts `json:"bounds"`
	Want   lease.Amounts `json:"want"`
	Least  lease.Amounts `json:"least"`
}

func (a *laneAsk) ask() lease.Ask { return lease.Ask{Bounds: a.Bounds, Want: a.Want, Least: a.Least} }

// laneGrant is a grant as the script replies it: times in seconds.
type laneGrant struct {
	Limits  lease.Amounts               `json:"limits"`
	Workers int                         `json:"workers"`
	Parcels [lease.Resources][4]float64 `json:"parcels"` // amount, of it at once, from, to
}

func parseGrant(text string) (lease.Grant, error) {
	var l laneGrant
	err := json.Unmarshal([]byte(text), &l)
	g := lease.Grant{Limits: l.Limits, Workers: l.Workers}
	for r, p := range l.Parcels {
		g.Parcels[r] = lease.Parcel{Amount: p[0], First: p[1], From: seconds(p[2]), To: seconds(p[3])}
	}
	return g, err
}

// Ask implements [Part].
func (q *Quota) Ask(now time.Time) []byte {
	q.asked = q.asked[:0]
	var asks []laneAsk
	for _, l := range q.lanes {
		ask, busy := l.limiter.Ask()
		if !busy && !l.called.IsZero() && now.Sub(l.called) < lease.Rest-Interval/2 {
			continue
		}
		l.called = now
		q.asked = append(q.asked, l)
		asks = append(asks, laneAsk{l.number, l.worker, ask.Bounds, ask.Want, ask.Least})
	}
	if len(q.asked) == 0 {
		return nil
	}
	b, err := json.Marshal(asks)
	if err != nil { // a number that is none: a fault of this program
		panic(err)
	}
	return b
}

// Told implements [Part].
func (q *Quota) Told(reply []rueidis.RedisMessage, c Call) {
	for i, l := range q.asked {
		if i == len(reply) {
			return
		}
		text, err := reply[i].ToString()
		if err != nil {
			return
		}
		if g, err := parseGrant(text); err == nil {
			l.limiter.Heed(g)
		}
	}
}

func seconds(s float64) time.Duration { return time.Duration(s * float64(time.Second)) }

// Missed implements [Part]. The limiters see by their own clocks that nothing came.
func (q *Quota) Missed(error, time.Time) {}

// Leave implements [Part]. What is leased ends by itself.
func (q *Quota) Leave() {}
