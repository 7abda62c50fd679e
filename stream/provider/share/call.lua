-- What a process asks, and what it is told. ARGV[1] is the half about money and ARGV[2] the one
-- about quota, in JSON; an empty one asks nothing. KEYS[1] is money's, the others are quota's.
local clock = redis.call('TIME')
local now = clock[1] * 1000000 + clock[2]
local reply = {false, false}
if ARGV[1] ~= '' then
  reply[1] = money(KEYS[1], cjson.decode(ARGV[1]), now)
end
if ARGV[2] ~= '' then
  local keys = {}
  for i = 2, #KEYS do keys[#keys + 1] = KEYS[i] end
  reply[2] = quota(keys, cjson.decode(ARGV[2]), now)
end
return reply
