package flags

import (
	"errors"
	"fmt"
	"strings"

	"llmpipe/stream"
	"llmpipe/stream/provider/share"
	"llmpipe/stream/ui"
)

// share sets the address of the job that is shared, and the password for it.
func (f *Flags) share(cfg *stream.Config, getenv func(string) string) (err error) {
	if f.Share == "" {
		if f.SharePasswordEnv != "" {
			return usage("add --share redis://HOST/JOB", "--share-password-env needs --share")
		}
		return nil
	}
	if cfg.Share, err = share.ParseAddress(f.Share); err != nil {
		hint := "write it as redis://HOST/JOB, or rediss:// for TLS; USER@HOST adds a user, and HOST:PORT a port other than 6379"
		if errors.Is(err, share.ErrPassword) {
			hint = "put the password into a variable, and name that with --share-password-env; leave a user in the URL: redis://USER@HOST/JOB"
		}
		return ui.Usage(&ui.Hinted{Err: fmt.Errorf("--share: %w", err), Hint: hint})
	}
	if f.SharePasswordEnv == "" {
		return nil
	}
	if !ui.IsVariableName(f.SharePasswordEnv) { // it may be the password itself
		return usage("export NAME=… and give the name", "--share-password-env takes the name of a variable, and this is not one")
	}
	password, err := variable(f.SharePasswordEnv, getenv)
	if err != nil {
		return fmt.Errorf("--share-password-env %s: %w", f.SharePasswordEnv, err) // an error of the environment, not of usage
	}
	cfg.Share.Password = strings.TrimRight(password, "\r\n")
	return nil
}
