package flags

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"llmpipe/stream"
	"llmpipe/stream/lane"
	"llmpipe/stream/naming"
	"llmpipe/stream/provider"
	"llmpipe/stream/ui"
)

// laneHint shows how a --spread or a --fallback is written.
const laneHint = "write it as url=https://api.example.com/v1,model=NAME,key-env=VARIABLE"

// laneKeys are the keys that a --spread or a --fallback can have.
const laneKeys = "url, model, key-env, header-env, name, rpm, tpm, concurrency, key-cmd"

// lanes reads each --spread and each --fallback: url=…,model=…,key-env=…,rpm=…. A part that is left
// out is as in the first lane, except for the limits, the key and the model.
func (f *Flags) lanes(cfg *stream.Config, getenv func(string) string) error {
	for _, kind := range []struct {
		flag  string
		specs []string
	}{{"--spread", f.Spread}, {"--fallback", f.Fallback}} {
		for _, spec := range kind.specs {
			lane, err := parseLane(spec, cfg, getenv)
			if err != nil {
				return ui.Usage(fmt.Errorf("%s %s: %w", kind.flag, shownLane(spec), err))
			}
			lane.Beside = kind.flag == "--spread"
			cfg.Lanes = append(cfg.Lanes, lane)
		}
	}
	return nil
}

// shownLane returns a lane as people may see it, because a part in the wrong place may be a secret.
func shownLane(spec string) string {
	pairs := laneParts(spec)
	for i, pair := range pairs {
		key, value, _ := strings.Cut(pair, "=")
		variable := value[strings.IndexByte(value, '=')+1:]
		switch known := slices.Contains(strings.Split(laneKeys, ", "), key); {
		case key == "url":
			pairs[i] = "url=" + provider.Shown(value)
		case strings.HasSuffix(key, "-env") && known && !ui.IsVariableName(variable):
			pairs[i] = key + "=…"
		case !known:
			pairs[i] = "…"
		}
	}
	return strings.Join(pairs, ",")
}

// laneParts returns the parts of a lane. A command is the last part, and may contain commas.
func laneParts(spec string) []string {
	const command = "key-cmd="
	at := strings.Index(","+spec, ","+command)
	if at < 0 {
		return strings.Split(spec, ",")
	}
	if at == 0 {
		return []string{spec}
	}
	return append(strings.Split(spec[:at-1], ","), spec[at:])
}

func parseLane(spec string, cfg *stream.Config, getenv func(string) string) (lane.Target, error) {
	p := provider.Config{
		Timeout: cfg.Provider.Timeout, Connections: cfg.Provider.Connections, UserAgent: cfg.Provider.UserAgent, Header: http.Header{},
		Dialect: cfg.Provider.Dialect,
	}
	lane := lane.Target{Provider: p, Pace: cfg.Pace}
	lane.Pace.RPM, lane.Pace.TPM = 0, 0
	for i, pair := range laneParts(spec) {
		key, value, ok := strings.Cut(pair, "=")
		if !ok || value == "" {
			return lane, ui.WithHint(laneHint, fmt.Errorf("part %d is not key=value", i+1))
		}
		var err error
		switch key {
		case "url":
			lane.Provider.BaseURL = value
		case "model":
			lane.Model = value
		case "name":
			lane.Name = value
		case "key-env":
			if lane.Provider.Key, err = keyIn(value, getenv); err != nil {
				err = fmt.Errorf("key-env: %w", err)
			}
		case "key-cmd":
			lane.Provider.KeyCommand = value
		case "header-env":
			if err = addSecretHeader(&lane.Provider, value, getenv); err != nil {
				err = fmt.Errorf("header-env: %w", err)
			}
		case "rpm":
			lane.Pace.RPM, err = positive(value)
		case "tpm":
			lane.Pace.TPM, err = positive(value)
		case "concurrency":
			lane.Pace.Concurrency, err = positive(value)
		default:
			hint := "it takes " + laneKeys
			if near := naming.Nearest(key, strings.Split(laneKeys, ", ")); near != "" {
				hint = "did you mean " + near + "=?"
			}
			err = ui.WithHint(hint, errors.New("it has an unknown part"))
		}
		if err != nil {
			return lane, err
		}
	}
	if err := checkBaseURL(lane.Provider.BaseURL); err != nil {
		return lane, err
	}
	switch {
	case lane.Provider.BaseURL == "":
		return lane, ui.WithHint(laneHint, errors.New("it has no url"))
	case lane.Provider.Key != "" && lane.Provider.KeyCommand != "":
		return lane, ui.WithHint("leave out one of the two", errors.New("key-env and key-cmd both name the key"))
	}
	return lane, nil
}

func positive(s string) (int, error) {
	n, err := parseCount(s)
	if err == nil && n < 1 {
		err = ui.WithHint("leave it out for the default", fmt.Errorf("%q is not a number above 0", s))
	}
	return n, err
}

// addSecretHeader adds a header from Name=VARIABLE. Its value is the variable's, which is a secret.
func addSecretHeader(p *provider.Config, spec string, getenv func(string) string) error {
	name, from, ok := strings.Cut(spec, "=")
	if !ok || !isHeaderName(name) || from == "" {
		return usage("write it as X-Api-Key=MY_KEY, if the variable MY_KEY holds the value", "it is not of the form Name=VARIABLE")
	}
	value, err := variable(from, getenv)
	if err != nil {
		return ui.Usage(err)
	}
	if value = strings.TrimSpace(value); !isHeaderValue(value) {
		return errors.New("the variable holds a line break or another control character")
	}
	p.Header.Add(name, value)
	p.Secrets = append(p.Secrets, value)
	return nil
}
