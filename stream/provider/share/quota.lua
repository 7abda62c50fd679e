-- quota leases parts of what a provider allows. A key is a hash about one lane, with a field for what
-- all have in common, and one for each worker. Times in it are seconds since the lane was born, and
-- lists have an element for each of requests, tokens, input and output tokens.

local SLICE, AWAY, MISSING, UNUSED = 0.25, 0.5, 2.5, 0.1
local DUST = 1e-9

-- newLane has nothing to give before all who live have asked once.
local function newLane()
  return {seen = 0, upto = {SLICE, SLICE, SLICE, SLICE}, limits = {0, 0, 0, 0}, virtual = {0, 0, 0, 0}}
end

-- lowest are the limits of those that any worker was told. It forgets workers that are gone.
local function lowest(workers, now, key)
  local bounds, count = {0, 0, 0, 0}, 0
  for id, w in pairs(workers) do
    if now - w.seen > MISSING then
      redis.call('HDEL', key, id)
      workers[id] = nil
    else
      count = count + 1
      for r = 1, 4 do
        local b = w.bounds[r]
        if b > 0 and (bounds[r] == 0 or b < bounds[r]) then bounds[r] = b end
      end
    end
  end
  return bounds, count
end

-- move takes in a new limit: what was given out ahead takes so much longer by a lower one.
local function move(lane, r, limit, now)
  local was = lane.limits[r]
  if was > 0 and limit > 0 and lane.upto[r] > now then
    lane.upto[r] = now + (lane.upto[r] - now) * was / limit
  end
  lane.limits[r] = limit
end

-- give gives w as much of one resource as is free and its fair part: no more than two slices'
-- beyond what the one has that got the least of those who could use more. It returns what is there
-- from when, until when, and how much of it at once.
local function give(lane, workers, w, r, limit, want, least, now)
  local low, others = math.huge, 0
  for _, o in pairs(workers) do
    if o ~= w and o.hungry[r] == 1 and now - o.seen <= AWAY then
      low, others = math.min(low, o.got[r]), others + 1
    end
  end
  if others == 0 then low = lane.virtual[r] end
  if w.hungry[r] == 0 then w.got[r] = math.max(w.got[r], low) end
  local unused = limit * UNUSED < 1 and 0 or UNUSED
  local from, to = math.max(lane.upto[r], now - unused), now + SLICE
  local free, fair = (to - from) * limit, math.huge
  if others > 0 then
    fair = low + 2 * SLICE * limit / (others + 1) - w.got[r]
  end
  local amount = math.min(want, free, fair)
  if r == 1 then amount = math.floor(amount + DUST) end
  if free <= DUST or fair <= 0 or want <= 0 then
    amount = 0
  elseif amount < least then
    amount = least
  end
  w.hungry[r] = want > amount + DUST and 1 or 0
  lane.virtual[r] = math.max(lane.virtual[r], w.got[r])
  w.got[r] = w.got[r] + amount
  lane.upto[r] = from + amount / limit
  local begin = math.max(0, from - now)
  return {amount, math.min(least, amount), begin, math.max(begin, SLICE)}
end

-- lease answers what worker id asks of one lane.
local function lease(key, id, ask, clock)
  local workers, lane, born, now = {}, nil, nil, nil
  local fields = redis.call('HGETALL', key)
  for i = 1, #fields, 2 do
    if fields[i] == 'born' then
      born = tonumber(fields[i + 1])
    elseif fields[i] == 'lane' then
      lane = cjson.decode(fields[i + 1])
    else
      workers[fields[i]] = cjson.decode(fields[i + 1])
    end
  end
  if lane and born then now = (clock - born) / 1e6 end
  if not now or now - lane.seen > MISSING then
    redis.call('DEL', key)
    redis.call('HSET', key, 'born', string.format('%.0f', clock))
    lane, workers, now = newLane(), {}, 0
  end
  local w = workers[id] or {got = {0, 0, 0, 0}, hungry = {0, 0, 0, 0}}
  workers[id] = w
  lane.seen, w.seen, w.bounds = now, now, ask.bounds
  local limits, count = lowest(workers, now, key)
  local parcels = {}
  for r = 1, 4 do
    move(lane, r, limits[r], now)
    if limits[r] > 0 then
      parcels[r] = give(lane, workers, w, r, limits[r], ask.want[r], ask.least[r], now)
    else
      parcels[r] = {0, 0, 0, 0}
    end
  end
  redis.call('HSET', key, 'lane', cjson.encode(lane), id, cjson.encode(w))
  redis.call('EXPIRE', key, 60)
  return cjson.encode({limits = limits, workers = count, parcels = parcels})
end

-- quota answers what a process asks of its lanes, by the numbers of their keys.
local function quota(keys, request, clock)
  local replies = {}
  for i, ask in ipairs(request) do
    replies[i] = lease(keys[ask.lane], ask.worker, ask, clock)
  end
  return replies
end
