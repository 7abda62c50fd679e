package share

import (
	_ "embed"

	"github.com/redis/rueidis"
)

//go:embed money.lua
var moneyScript string

//go:embed quota.lua
var quotaScript string

//go:embed call.lua
var callScript string

// script is the only thing that Redis is asked to do. It is sent once. After that it is called by
// its hash, as long as the server knows it.
var script = rueidis.NewLuaScript(moneyScript + quotaScript + callScript)
