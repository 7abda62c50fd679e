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

// Quota is the half that leases what providers allow. A lane is one provider under one key. All
// processes of the job that use a lane share what it allows.
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
	number  int    // of the lane's key, counted from 1
	worker  string // this part's name for the others
	limiter *limiter.Limiter
	called  time.Time // the last ask; zero: none yet
}

// NewQuota returns the half for a process, with no lanes yet.
func NewQuota(s *Share) *Quota { return &Quota{share: s, id: rand.Text()[:12]} }

// LaneID returns the name of a lane for all processes of the job. The same address with the same
// secret is the same lane. The secret is a key, or the command that prints it; it cannot be derived
// from the name.
func (a Address) LaneID(baseURL, secret string) string {
	mac := hmac.New(sha256.New, []byte(a.Job))
	mac.Write([]byte(plainURL(baseURL) + "\n" + secret))
	return "lane:" + hex.EncodeToString(mac.Sum(nil)[:16])
}

// plainURL returns an address in its normal form, so that all processes spell it alike.
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

// Lane returns the Sharer by which the limiter of a lane leases its quota. It belongs in
// [limiter.Config.Share], and must then be passed to [Quota.Serve] with the limiter. Both must
// happen before [Share.Start].
func (q *Quota) Lane(baseURL, secret string) limiter.Sharer {
	l := &laneQuota{
		share: q.share, key: q.share.address.LaneID(baseURL, secret),
		worker: q.id + "-" + strconv.Itoa(len(q.lanes)),
	}
	q.lanes = append(q.lanes, l)
	return l
}

// Serve sets the limiter that leases by s.
func (q *Quota) Serve(s limiter.Sharer, l *limiter.Limiter) { s.(*laneQuota).limiter = l }

// Want implements [limiter.Sharer].
func (l *laneQuota) Want(atOnce bool) { l.share.Wake(atOnce) }

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

// appendAsk writes an ask as the script reads it: the number of the lane's key, the worker, and a
// list of numbers.
func appendAsk(b []byte, number int, worker string, a lease.Ask) []byte {
	b = append(b, '[')
	b = strconv.AppendInt(b, int64(number), 10)
	b = append(b, ',', '"')
	b = append(b, worker...)
	b = append(b, '"', ',')
	separator := byte('[')
	for _, group := range [][]float64{
		{one(a.Busy), a.InFlight, one(a.Leads), a.Found.Requests, a.Found.Tokens},
		{a.Seen.Accepted, a.Seen.Refused, a.Seen.Failed, a.Seen.Held, a.Seen.Tokens, a.Seen.Lost},
		{a.Shut.For.Seconds(), one(a.Shut.Outage)},
		a.Bounds[:], a.Want[:], a.Least[:],
	} {
		for _, n := range group {
			b = append(b, separator)
			b = strconv.AppendFloat(b, n, 'g', 9, 64)
			separator = ','
		}
	}
	return append(b, ']', ']')
}

func one(b bool) float64 {
	if b {
		return 1
	}
	return 0
}

// grantSize is how many numbers the script replies with for a lane.
const grantSize = 13 + 5*lease.Resources

// parseGrant reads the script's reply for a lane.
func parseGrant(text string) (g lease.Grant, err error) {
	var n [grantSize]float64
	if err := json.Unmarshal([]byte(text), &n); err != nil {
		return g, err
	}
	g.Workers, g.InFlight, g.Leads = int(n[0]), n[1], n[2] == 1
	g.Found = lease.Found{Requests: n[3], Tokens: n[4]}
	g.Seen = lease.Tally{Accepted: n[5], Refused: n[6], Failed: n[7], Held: n[8], Tokens: n[9], Lost: n[10]}
	g.Shut = lease.Shut{For: seconds(n[11]), Outage: n[12] == 1}
	for r := range g.Limits {
		p := n[13+5*r:]
		g.Limits[r] = p[0]
		g.Parcels[r] = lease.Parcel{Amount: p[1], First: p[2], From: seconds(p[3]), To: seconds(p[4])}
	}
	return g, nil
}

// Ask implements [Part].
func (q *Quota) Ask(now time.Time) []byte {
	q.asked = q.asked[:0]
	b := []byte("[")
	for _, l := range q.lanes {
		ask := l.limiter.Ask()
		if !ask.Busy && !l.called.IsZero() && now.Sub(l.called) < lease.Rest-Interval/2 {
			continue
		}
		l.called = now
		if len(q.asked) > 0 {
			b = append(b, ',')
		}
		q.asked = append(q.asked, l)
		b = appendAsk(b, l.number, l.worker, ask)
	}
	if len(q.asked) == 0 {
		return nil
	}
	return append(b, ']')
}

// Told implements [Part].
func (q *Quota) Told(reply []rueidis.RedisMessage, _ time.Time) {
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

// Missed implements [Part]. The limiters notice by their own clocks that nothing came.
func (q *Quota) Missed(error) {}

// Leave implements [Part]. Leases end by themselves.
func (q *Quota) Leave() {}
