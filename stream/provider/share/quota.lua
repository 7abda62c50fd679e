-- quota lends parts of what providers allow.
local function quota(keys, request, now)
  return {}
end
