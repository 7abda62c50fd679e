package attach

import (
	"encoding/base64"
	"errors"
	"fmt"
	"net/url"
	"path"
	"regexp"
	"strings"

	"llmpipe/stream/record/media"
	"llmpipe/stream/record/rawjson"
)

// scheme matches the beginning of a URL. A data: URL has no slashes there; see isData.
var scheme = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9+.-]+://`)

// IsLink reports whether a record's value is a URL, not a path.
func IsLink(value string) bool { return isData(value) || scheme.MatchString(value) }

func isData(value string) bool { return len(value) >= 5 && strings.EqualFold(value[:5], "data:") }

// Links makes parts of a request from URLs.
type Links struct {
	Form Form
	HTTP bool // take http: URLs too, which are fetched without encryption
}

// Append appends the part for a link. A link is sent as it is, and the provider fetches it. An
// error never shows the link itself, because a link may hold a secret.
func (l Links) Append(dst []byte, link string) ([]byte, error) {
	if isData(link) {
		return l.appendData(dst, link)
	}
	u, err := url.Parse(link)
	switch {
	case err == nil && strings.EqualFold(u.Scheme, "file"):
		return dst, errors.New("providers cannot fetch a file: URL; write the file's path instead")
	case err != nil || u.Host == "":
		return dst, errors.New("it is not a valid URL")
	case u.User != nil:
		return dst, errors.New("the URL contains a user name, which would go to the provider; leave it out")
	case strings.EqualFold(u.Scheme, "http") && !l.HTTP:
		return dst, errors.New("an http: URL is fetched without encryption; add --attach-http to allow it")
	case !strings.EqualFold(u.Scheme, "http") && !strings.EqualFold(u.Scheme, "https"):
		return dst, fmt.Errorf("providers do not fetch %s: URLs; use an https: URL", strings.ToLower(u.Scheme))
	}
	quoted := string(rawjson.AppendQuoted(nil, link))
	if strings.EqualFold(path.Ext(u.Path), ".pdf") {
		switch l.Form {
		case Responses:
			return append(dst, `{"type":"input_file","file_url":`+quoted+`}`...), nil
		case Messages:
			return append(dst, `{"type":"document","source":{"type":"url","url":`+quoted+`}}`...), nil
		}
		return dst, errors.New("the chat endpoint does not take a PDF by URL; attach a file, or use --endpoint responses")
	}
	switch l.Form {
	case Chat:
		return append(dst, `{"type":"image_url","image_url":{"url":`+quoted+`}}`...), nil
	case Responses:
		return append(dst, `{"type":"input_image","image_url":`+quoted+`}`...), nil
	}
	return append(dst, `{"type":"image","source":{"type":"url","url":`+quoted+`}}`...), nil
}

// appendData appends the part of a data: URL (RFC 2397), whose base64 stays as it is.
func (l Links) appendData(dst []byte, link string) ([]byte, error) {
	head, data, ok := strings.Cut(link[len("data:"):], ",")
	mediaType, isBase64 := strings.CutSuffix(head, ";base64")
	if !ok || !isBase64 {
		return dst, errors.New("the data: URL is not in base64")
	}
	if _, err := base64.StdEncoding.Strict().DecodeString(data); err != nil {
		return dst, fmt.Errorf("the data: URL: %w", err)
	}
	mediaType, _, _ = strings.Cut(strings.ToLower(mediaType), ";")
	f := File{Path: "data", Type: mediaType}
	switch mediaType {
	case "image/png", "image/jpeg", "image/gif", "image/webp":
		f.Part.Kind = media.Image
	case "application/pdf":
		f.Part.Kind, f.Path = media.Document, "data.pdf"
	case "audio/wav", "audio/x-wav", "audio/mpeg", "audio/mp3":
		f.Part.Kind = media.Audio
	default:
		return dst, fmt.Errorf("no endpoint takes a data: URL of the type %q; use one of an image (PNG, JPEG, GIF, WebP), "+
			"a PDF or a recording (WAV, MP3)", mediaType)
	}
	before, after, err := f.Frame(l.Form)
	if err != nil {
		return dst, err
	}
	return append(append(append(dst, before...), data...), after...), nil
}
