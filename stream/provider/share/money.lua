-- money lends parts of a job's budget, and of its daily one: the amounts of each run stand in
-- arrays of two. All are in billionths of a dollar.
--
-- A run's cap is what its ledger may cost in all, what is lent to it included. Runs of one ledger
-- have one cap together, the highest of theirs. The ceiling is what the cap may rise to before the
-- others are told again: it holds back the run once all of them know it (ack). So whoever has to say
-- again what another run had, after everything here was lost, says its ceiling, and is never short.

local LIVES = 5000000 -- how long a run may be silent and count as living, in microseconds
local AGAIN = 2000000 -- for how long nothing is lent after everything was lost: all that live call in that time
local STALL = 1000000 -- a longer time in which nobody calls counts as that much: the server stood still
local KEEP = 90 * 86400 * 1000 -- how long a job is kept that nobody calls for, in milliseconds
local APART = 20 -- how many runs without a ledger that are over have an entry of their own
local PARTS = 2 -- a run holds at most this part of its even share of what is left

local ENDED = 'ended-' -- begins the names of the entries for the others

-- The members of a run's entry, in their order there.
local MEMBERS = {
  'ledger', 'state', 'v', 'serial', 'at', 'seen', 'hungry', 'day',
  'cap1', 'ceil1', 'ack1', 'firm1', 'spent1', 'told1',
  'cap2', 'ceil2', 'ack2', 'firm2', 'spent2', 'told2',
}

local function read(text)
  local e, i = {}, 0
  for word in string.gmatch(text, '%S+') do
    i = i + 1
    e[MEMBERS[i]] = i > 2 and tonumber(word) or word
  end
  return e
end

local function write(e)
  local words = {e.ledger, e.state}
  for i = 3, #MEMBERS do
    words[i] = string.format('%.0f', e[MEMBERS[i]])
  end
  return table.concat(words, ' ')
end

-- since is when an epoch began.
local function since(epoch)
  return tonumber(string.match(epoch, '^%d+') or 0)
end

-- process names the server's process: one that was begun since may have read older contents, and so
-- may one that took over. It is empty for a user who may not ask.
local function process()
  local info = redis.pcall('INFO', 'server')
  return type(info) == 'string' and string.match(info, 'run_id:(%w+)') or ''
end

-- again makes an entry what others say of a run until it calls: the most that it may have.
local function again(e, time, v)
  e.state, e.serial, e.at, e.seen, e.hungry, e.v = 'again', 0, time, 0, 0, v
  for i = 1, 2 do
    e['cap' .. i], e['ack' .. i], e['firm' .. i], e['told' .. i] = e['ceil' .. i], e['ceil' .. i], e['spent' .. i], 0
  end
end

local function money(key, request, now)
  local meta, runs, changed = {}, {}, {}
  local stored = redis.call('HGETALL', key)
  for i = 1, #stored, 2 do
    local run = string.match(stored[i], '^r:(.*)')
    if run then
      runs[run] = read(stored[i + 1])
    else
      meta[stored[i]] = stored[i + 1]
    end
  end

  -- The clock stands still while nobody calls.
  local idle = tonumber(meta.idle or 0)
  local gap = now - tonumber(meta.last or now)
  if gap > STALL then idle = idle + gap - STALL end
  if gap < 0 then idle = idle + gap end
  local time = now - idle
  local today = math.floor(now / (86400 * 1e6))

  if request.peek then -- and can it be written?
    redis.call('HSET', key, 'peek', string.format('%.0f', now))
    redis.call('PEXPIRE', key, KEEP)
    local limit = {0, 0, now}
    for _, e in pairs(runs) do
      for i = 1, 2 do
        local told = e.state == 'lives' and time - e.at <= LIVES and e['told' .. i] or 0
        if told > 0 and (limit[i] == 0 or told < limit[i]) then limit[i] = told end
      end
    end
    return limit
  end

  -- Everything was lost, or what was said last, or may have been: it is said again, by all who know something.
  local v, epoch, born = tonumber(meta.v or 0), meta.epoch, tonumber(meta.born or 0)
  local own = runs[request.run]
  if own and own.state ~= 'again' and request.serial <= own.serial then
    return {} -- it was on its way for so long that a later one was here first, and nobody waits for the reply
  end
  local server = process()
  local back = epoch == request.epoch and (request.seen > v or own and own.serial < request.acked)
    or epoch and since(epoch) < since(request.epoch)
    or server ~= '' and server ~= meta.server
  if not epoch or back then
    epoch = string.format('%.0f', now) .. '-' .. request.run
    v = v + 1
    born = time
    for run, e in pairs(runs) do
      again(e, time, v)
      changed[run] = true
    end
  end
  for _, said in ipairs(request.again or {}) do
    local run, text = said[1], said[2]
    local e, before = read(text), runs[run]
    if run ~= request.run and (not before or before.state == 'again') then
      if before then
        for i = 1, 2 do
          if i == 1 or e.day == before.day then
            for _, m in ipairs({'ceil', 'spent'}) do e[m .. i] = math.max(e[m .. i], before[m .. i]) end
          elseif e.day < before.day then
            for _, m in ipairs({'ceil', 'spent'}) do e[m .. i] = before[m .. i] end
          end
        end
        e.day = math.max(e.day, before.day)
      end
      again(e, before and before.at or time, before and before.v or 0)
      if not before or write(before) ~= write(e) then
        v = v + 1
        e.v, runs[run], changed[run] = v, e, true
      end
    end
  end
  local lives = function(e) return e.state == 'lives' and time - e.at <= LIVES end

  -- What others said is in what this run says.
  local drop = function(run)
    runs[run], changed[run] = nil, true
    v = v + 1
  end
  local known = {} -- what all know that runs of this ledger may have
  for run, e in pairs(runs) do
    if e.ledger == request.ledger and e.state ~= 'again' then
      for i = 1, 2 do
        if i == 1 or e.day == request.day then known[i] = math.max(known[i] or 0, e['ack' .. i]) end
      end
    end
  end
  for _, run in ipairs(request.gone or {}) do
    if runs[run] and run ~= request.run and runs[run].ledger == request.ledger then drop(run) end
  end
  for _, run in ipairs(request.covers or {}) do
    local e = runs[run]
    if e and run ~= request.run and not lives(e) and e.spent1 <= request.spent[1] then drop(run) end
  end

  -- No other run takes over the money of one that had no ledger: beyond the last few all are one.
  local over = {}
  for run, e in pairs(runs) do
    if e.ledger == run and run ~= request.run and time - e.at > LIVES and string.sub(run, 1, #ENDED) ~= ENDED then
      over[#over + 1] = run
    end
  end
  if #over > APART then
    table.sort(over, function(a, b) return runs[a].at < runs[b].at end)
    local name = ENDED .. string.match(epoch, '^%d+') -- what others say of an earlier one is no part of it
    local sum = runs[name]
    if not sum then
      sum = {ledger = name, day = 0, ceil1 = 0, ceil2 = 0}
      runs[name] = sum
    end
    for i = 1, #over - APART do
      local e = runs[over[i]]
      sum.ceil1 = sum.ceil1 + e.cap1
      if e.day > sum.day then sum.day, sum.ceil2 = e.day, 0 end
      if e.day == sum.day then sum.ceil2 = sum.ceil2 + e.cap2 end
      drop(over[i])
    end
    sum.spent1, sum.spent2 = sum.ceil1, sum.ceil2
    again(sum, time, v)
    changed[name] = true
  end

  -- What this run says.
  local fresh = not own or own.state ~= 'lives'
  local news = fresh
  local e = own or {v = v}
  e.ledger, e.serial, e.seen = request.ledger, request.serial, epoch == request.epoch and request.seen or 0
  local same = e.day == request.day
  -- Where its clock is ahead, what it said of the day before holds until that is over here, too.
  local early = not fresh and request.day > today and e.day < request.day
  e.state, e.at, e.day = request.leave and 'left' or 'lives', time, early and e.day or request.day
  runs[request.run] = e

  -- Who lives, what the job may cost, and what all but this ledger count as.
  local living, limit, all_know = 0, {0, 0}, true
  for run, r in pairs(runs) do
    if lives(r) then
      living = living + 1
      if run ~= request.run and r.seen < e.v then all_know = false end
    end
    for i = 1, 2 do
      local told = run == request.run and request.told[i] or lives(r) and r['told' .. i] or 0
      if told > 0 and (limit[i] == 0 or told < limit[i]) then limit[i] = told end
    end
  end
  local recovering = time - born < AGAIN
  local reply = {epoch, 0}
  for i = 1, 2 do
    local cap, ceil, ack, firm, spent = 'cap' .. i, 'ceil' .. i, 'ack' .. i, 'firm' .. i, 'spent' .. i
    local most, want, need = request.cap[i], request.want[i], request.need[i]
    local e = i == 2 and early and read(write(e)) or e
    local another = i == 2 and request.day ~= today -- day than here: nothing is lent for it
    if fresh or i == 2 and not same then
      e[ack] = math.max(most, known[i] or 0)
      e[ceil] = e[ack]
    elseif all_know then
      e[ack] = math.max(e[ack], e[ceil])
    end
    e[firm], e[spent], e['told' .. i] = request.firm[i], request.spent[i], request.told[i]

    local counts, spends, held, open = {}, {}, {}, 0 -- by ledger; open: what others that live may still give back
    for run, r in pairs(runs) do
      if run ~= request.run and (i == 1 or r.day == request.day) then
        counts[r.ledger] = math.max(counts[r.ledger] or 0, r[cap])
        spends[r.ledger] = math.max(spends[r.ledger] or 0, r[spent])
        if lives(r) and r.ledger ~= request.ledger then
          open = open + math.max(0, r[cap] - r[firm])
          held[r.ledger] = math.max(held[r.ledger] or 0, r[cap] - r[firm])
        end
      end
    end
    local others, spent_others, away = 0, 0, 0
    for ledger, c in pairs(counts) do
      if ledger ~= request.ledger then
        others = others + c
        spent_others = spent_others + spends[ledger]
        away = away + c - spends[ledger] - (held[ledger] or 0)
      end
    end
    local room = math.max(0, limit[i] - others) -- for this ledger
    local part = math.floor(math.max(0, limit[i] - spent_others - request.spent[i] - away) / (PARTS * math.max(1, living)))

    -- More is lent where the others know of it, and what is needed at least, or nothing.
    local short = false
    if limit[i] > 0 and not recovering and not request.leave and not another then
      local least = most + need
      short = need > 0 and room < least
      if want > most and room >= least and (need == 0 or e[ack] >= least) then
        most = math.max(most, math.min(want, room, e[ack]))
      end
    end
    e[cap] = most
    e.hungry = (i == 1 and 0 or e.hungry)
    if short then e.hungry = e.hungry + i end
    local ahead = math.max(part, need)
    local up = most + ahead
    if request.leave or limit[i] == 0 then up = most end
    if e[ceil] < most then e[ceil] = most; news = true end
    if e[ceil] < most + math.max(need, ahead / 2) and up > e[ceil] or e[ceil] > most + 4 * ahead or (request.leave and e[ceil] ~= up) then
      e[ceil], news = up, true
    end
    e[ack] = math.min(math.max(e[ack], most), e[ceil])
    for run, r in pairs(runs) do -- who needs nothing holds nothing while another is short
      if run ~= request.run and need == 0 and lives(r) and math.floor(r.hungry / i) % 2 == 1 then part = 0 end
    end
    if limit[i] > 0 and room < most then part = 0 end -- more is lent than may be, as another was told less
    -- Nothing for now, or nothing at all: nobody has anything under way that may give way.
    local none = short and (open == 0 and request.cap[i] <= request.firm[i] and 2 or 1) or another and need > 0 and 1 or 0
    for _, n in ipairs({most, part, limit[i], spent_others, away, none}) do
      reply[#reply + 1] = n
    end
  end
  if news then
    v = v + 1
    e.v = v
  end
  changed[request.run] = true
  reply[2] = v

  local fields = {'epoch', epoch, 'born', string.format('%.0f', born), 'v', string.format('%.0f', v), 'last', string.format('%.0f', now),
    'idle', string.format('%.0f', idle)}
  if server ~= '' then fields[#fields + 1], fields[#fields + 2] = 'server', server end
  local lost = {}
  for run in pairs(changed) do
    if runs[run] then
      fields[#fields + 1] = 'r:' .. run
      fields[#fields + 1] = write(runs[run])
    else
      lost[#lost + 1] = 'r:' .. run
    end
  end
  for i = 1, #fields, 1000 do
    redis.call('HSET', key, unpack(fields, i, math.min(i + 999, #fields)))
  end
  for i = 1, #lost, 1000 do
    redis.call('HDEL', key, unpack(lost, i, math.min(i + 999, #lost)))
  end
  redis.call('PEXPIRE', key, KEEP)
  if v ~= request.seen or epoch ~= request.epoch then
    for run, r in pairs(runs) do
      reply[#reply + 1] = {run, write(r)}
    end
  end
  return reply
end
