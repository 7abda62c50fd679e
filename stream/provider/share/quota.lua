-- quota leases parts of what a provider allows. A key is a hash about one lane: "born" is when it was
-- made, "lane" what all workers have in common, and each worker has a field. They are flat lists of
-- numbers, for a call takes as long as it takes to read and to write them. Times in them are seconds
-- since the lane was born. What is for each of requests, tokens, input and output tokens stands four
-- times. All of it is what the package limiter/lease says.

local SLICE, AWAY, REST, MISSING, UNUSED, SWEEP = 0.25, 0.5, 1, 2.5, 0.1, 0.1
local DUST = 1e-6

-- Where things stand in the list of a lane.
local SEEN, SWEPT, COUNT, INFLIGHT, LEADS, FOUND, TALLY = 1, 2, 3, 4, 5, 5, 7
local UNTIL, OUTAGE, LEADER, SHUTBY = 14, 15, 16, 17
local LINES = 17 -- before them, each of six: 
local UPTO, LIMIT, START, BOUND, HUNGRY, LOW = 1, 2, 3, 4, 5, 6

-- In that of a worker.
local W_SEEN, W_INFLIGHT, W_BOUNDS, W_GOT, W_HUNGRY = 1, 2, 2, 6, 10

-- In an ask.
local A_BUSY, A_INFLIGHT, A_LEADS, A_FOUND, A_TALLY, A_SHUT, A_OUTAGE = 1, 2, 3, 3, 5, 12, 13
local A_BOUNDS, A_WANT, A_LEAST = 13, 17, 21

-- newLane has nothing to give before all who live have asked once.
local function newLane()
  local lane = {0, -1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, '', ''}
  for r = 0, 3 do
    for i = 1, 6 do lane[LINES + 6 * r + i] = 0 end
    lane[LINES + 6 * r + UPTO] = SLICE
  end
  return lane
end

-- lowest is the lower one of two limits, each 0 for none.
local function lowest(a, b)
  if a > 0 and b > 0 then return math.min(a, b) end
  return math.max(a, b)
end

-- sweep looks at all workers, of which own is one, and forgets those that are gone.
local function sweep(key, lane, id, own, now)
  local count, inflight = 0, 0
  for at = LINES, LINES + 18, 6 do
    lane[at + BOUND], lane[at + HUNGRY], lane[at + LOW] = 0, 0, 0
  end
  local fields = redis.call('HGETALL', key)
  for i = 1, #fields, 2 do
    local name = fields[i]
    if name ~= 'born' and name ~= 'lane' then
      local w = name == id and own or cjson.decode(fields[i + 1])
      local silent = now - w[W_SEEN]
      if silent > MISSING then
        redis.call('HDEL', key, name)
      else
        count = count + 1
        if silent <= AWAY then inflight = inflight + w[W_INFLIGHT] end
        for r = 1, 4 do
          local at, got = LINES + 6 * (r - 1), w[W_GOT + r]
          lane[at + BOUND] = lowest(lane[at + BOUND], w[W_BOUNDS + r])
          if w[W_HUNGRY + r] == 1 and silent <= AWAY then
            if lane[at + HUNGRY] == 0 or got < lane[at + LOW] then lane[at + LOW] = got end
            lane[at + HUNGRY] = lane[at + HUNGRY] + 1
          end
        end
      end
    end
  end
  lane[SWEPT], lane[COUNT], lane[INFLIGHT] = now, count, inflight
  redis.call('EXPIRE', key, 60)
end

-- lead keeps one of those leader that have something to send, and tells it what all have seen.
local function lead(lane, id, ask, reply, now)
  for i = 1, 6 do lane[TALLY + i] = lane[TALLY + i] + ask[A_TALLY + i] end
  if lane[LEADER] == id and ask[A_BUSY] == 0 then
    lane[LEADER] = ''
  elseif lane[LEADER] == id then
    lane[LEADS] = now
    if ask[A_LEADS] == 1 then
      lane[FOUND + 1], lane[FOUND + 2] = ask[A_FOUND + 1], ask[A_FOUND + 2]
    end
  elseif ask[A_BUSY] == 1 and (lane[LEADER] == '' or now - lane[LEADS] > REST) then
    lane[LEADER], lane[LEADS] = id, now
    for i = 1, 6 do lane[TALLY + i] = 0 end
  end
  local leads = lane[LEADER] == id
  reply[3], reply[4], reply[5] = leads and 1 or 0, lane[FOUND + 1], lane[FOUND + 2]
  for i = 1, 6 do
    reply[5 + i] = leads and lane[TALLY + i] or 0
    if leads then lane[TALLY + i] = 0 end
  end
end

-- shut keeps the lane shut for as long as the one says that shut it.
local function shut(lane, id, ask, reply, now)
  local length = ask[A_SHUT]
  if length > 0 and (lane[SHUTBY] == id or lane[UNTIL] <= now) then
    lane[SHUTBY], lane[UNTIL], lane[OUTAGE] = id, now + length, ask[A_OUTAGE]
  elseif length == 0 and lane[SHUTBY] == id then
    lane[SHUTBY], lane[UNTIL] = '', 0
  end
  local others = lane[SHUTBY] ~= id and lane[UNTIL] > now
  reply[12], reply[13] = others and lane[UNTIL] - now or 0, others and lane[OUTAGE] or 0
end

-- move takes in a new limit: what was given out ahead takes so much longer by a lower one.
local function move(lane, at, limit, now)
  local was, upto = lane[at + LIMIT], lane[at + UPTO]
  if was > 0 and limit > 0 and upto > now then
    lane[at + UPTO] = now + (upto - now) * was / limit
  end
  lane[at + LIMIT] = limit
end

-- give gives w as much of resource r as is free and its fair part: no more than two slices' beyond
-- what the one has that got the least of those who could use more.
local function give(lane, at, r, w, want, least, reply, now)
  local limit, hungry, low = lane[at + LIMIT], lane[at + HUNGRY], lane[at + LOW]
  local sharers, got = hungry, w[W_GOT + r]
  if hungry == 0 then low = lane[at + START] end
  if w[W_HUNGRY + r] == 0 then
    got, sharers = math.max(got, low), sharers + 1
  end
  local unused = limit * UNUSED < 1 and 0 or UNUSED
  local from, to = math.max(lane[at + UPTO], now - unused), now + SLICE
  local free, fair = (to - from) * limit, math.huge
  if hungry > 0 then fair = low + 2 * SLICE * limit / sharers - got end
  local amount = math.min(want, free, fair)
  if r == 1 then amount = math.floor(amount + DUST) end
  if free <= DUST or fair <= DUST or want <= DUST then
    amount = 0
  elseif amount < least then
    amount = least
  end
  w[W_HUNGRY + r] = want > amount + DUST and 1 or 0
  lane[at + START] = math.max(lane[at + START], got)
  w[W_GOT + r] = got + amount
  lane[at + UPTO] = from + amount / limit
  local begin = math.max(0, from - now)
  local out = 13 + 5 * (r - 1)
  reply[out + 2], reply[out + 3] = amount, math.min(least, amount)
  reply[out + 4], reply[out + 5] = begin, math.max(begin, SLICE)
end

-- lease answers what worker id asks of one lane.
local function lease(key, id, ask, clock)
  local fields = redis.call('HMGET', key, 'born', 'lane', id)
  local lane, w, now
  if fields[1] and fields[2] then
    lane, now = cjson.decode(fields[2]), (clock - fields[1]) / 1e6
    if now < lane[SEEN] then -- the clock went back: the lane's stands still, or nothing is free until it is there again
      now = lane[SEEN]
      redis.call('HSET', key, 'born', string.format('%.0f', clock - now * 1e6))
    end
  end
  if not lane or now - lane[SEEN] > MISSING then
    redis.call('DEL', key)
    redis.call('HSET', key, 'born', string.format('%.0f', clock))
    lane, now = newLane(), 0
  elseif fields[3] then
    w = cjson.decode(fields[3])
  end
  if not w then
    w = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0}
    lane[SWEPT] = -1
    redis.call('HSET', key, id, '[]')
  end
  lane[SEEN], w[W_SEEN], w[W_INFLIGHT] = now, now, ask[A_INFLIGHT]
  for r = 1, 4 do w[W_BOUNDS + r] = ask[A_BOUNDS + r] end
  if now - lane[SWEPT] > SWEEP then sweep(key, lane, id, w, now) end
  local reply = {lane[COUNT], lane[INFLIGHT]}
  lead(lane, id, ask, reply, now)
  shut(lane, id, ask, reply, now)
  for r = 1, 4 do
    local at, found = LINES + 6 * (r - 1), r < 3 and lane[FOUND + r] or 0
    lane[at + BOUND] = lowest(lane[at + BOUND], ask[A_BOUNDS + r])
    local limit, out = lowest(lane[at + BOUND], found), 13 + 5 * (r - 1)
    move(lane, at, limit, now)
    for i = 2, 5 do reply[out + i] = 0 end
    reply[out + 1] = limit
    if limit > 0 then give(lane, at, r, w, ask[A_WANT + r], ask[A_LEAST + r], reply, now) end
  end
  redis.call('HSET', key, 'lane', cjson.encode(lane), id, cjson.encode(w))
  return cjson.encode(reply)
end

-- quota answers what a process asks: for each of its lanes the number of the key, the worker, and
-- the ask.
local function quota(keys, request, clock)
  local replies = {}
  for i, one in ipairs(request) do
    replies[i] = lease(keys[one[1]], one[2], one[3], clock)
  end
  return replies
end
