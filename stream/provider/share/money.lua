-- money lends parts of a job's budget.
local function money(key, request, now)
  return {}
end
