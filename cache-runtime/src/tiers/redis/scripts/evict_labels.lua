-- Evicts or expires labels: their generations are replaced, whatever number of entries carries them.
--
-- KEYS[1] the registry, whose field `#gen` is the generation of the cache        KEYS[2] the logical clock
-- KEYS[i+2] a label's generation
-- ARGV[1] '1': only the second half is replaced, so that what carries it counts as past its ttl, else '0'
-- ARGV[2] the channel        ARGV[3] what is said there, '' for nothing
-- ARGV[4] an era, should the clock be lost
-- ARGV[5] the least life of a generation in ms
-- ARGV[6] 16 random bytes for the cache, '' where it is not meant        ARGV[7] its hold in ms, 0 for none
-- ARGV[2i+6] 16 random bytes        ARGV[2i+7] how long stores under it are refused in ms, 0 for not at all
--
-- Reply   1
--
-- Where the clock is on another server, KEYS[i] is a label (or KEYS[1] the registry, where the cache is meant), and ARGV[4] what the clock was
-- moved on to, `era:n`, or `:` if it was not. Another eviction may have moved it on further, and been here first: the later moment stands.
--
-- A generation is `g`, two halves of 8 bytes, the era in 16 hexadecimal digits, and a number. A hold is `h`; that of the
-- cache, which cannot expire by itself, is followed by when it ends. It equals nothing, is extended, and never shortened.

local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)

local function text(reply)
  if type(reply) == 'string' then return reply end
  return ''
end

local elsewhere = string.find(ARGV[4], ':', 1, true)
local of_cache = ARGV[6] ~= ''
local first = elsewhere and (of_cache and 2 or 1) or 3

local function ahead()
  if elsewhere then
    local era, n = string.match(ARGV[4], '^(%x+):(%d+)$')
    return era and era .. n
  end
  local era, n = string.match(text(redis.pcall('GET', KEYS[2])), '^(%x+):(%d+)$')
  if not era then era, n = ARGV[4], 0 end
  n = string.format('%.0f', n + 1)
  local set = redis.pcall('SET', KEYS[2], era .. ':' .. n)
  -- A clock that cannot be written must not stand still beside new generations.
  if type(set) == 'table' and set.err then return nil end
  return era .. n
end

local function generation(old, random, made)
  local half = string.sub(random, 1, 8)
  if string.sub(old, 1, 1) == 'g' and #old > 33 then
    if ARGV[1] == '1' then half = string.sub(old, 2, 9) end
    local before = string.sub(old, 18)
    local same_era = string.sub(before, 1, 16) == string.sub(made, 1, 16)
    if same_era and (tonumber(string.sub(before, 17)) or 0) > tonumber(string.sub(made, 17)) then made = before end
  end
  return 'g' .. half .. string.sub(random, 9, 16) .. made
end

-- By name: a label may be named twice, with a hold and without.
local old, left = {}, {}
for i = first, #KEYS do
  old[KEYS[i]] = text(redis.pcall('GET', KEYS[i]))
  left[KEYS[i]] = redis.call('PTTL', KEYS[i])
end
local cache = of_cache and text(redis.pcall('HGET', KEYS[1], '#gen')) or ''

-- First everything is deleted: what has no generation is as dead as what has another one, and a full server lets a
-- script write that has deleted.
if of_cache then redis.call('HDEL', KEYS[1], '#gen') end
for i = first, #KEYS do redis.call('DEL', KEYS[i]) end

local made = ahead()
if of_cache then
  local held = tonumber(string.match(cache, '^h(%d+)$') or '0')
  local hold = tonumber(ARGV[7])
  local value
  if held > now or hold > 0 then
    value = 'h' .. string.format('%.0f', math.max(held, now + hold))
  elseif made then
    value = generation(cache, ARGV[6], made)
  end
  if value then redis.pcall('HSET', KEYS[1], '#gen', value) end
end
for i = first, #KEYS do
  local at = 2 * (i - first) + 8
  local label, random, hold = KEYS[i], ARGV[at], tonumber(ARGV[at + 1])
  local held = old[label] == 'h' and left[label] or 0
  if held > 0 or hold > 0 then
    old[label], left[label] = 'h', math.max(held, hold)
    redis.pcall('SET', label, 'h', 'PX', string.format('%.0f', left[label]))
  elseif made then
    local life = string.format('%.0f', math.max(left[label], tonumber(ARGV[5])))
    redis.pcall('SET', label, generation(old[label], random, made), 'PX', life)
  end
end

if ARGV[3] ~= '' then redis.pcall('PUBLISH', ARGV[2], ARGV[3]) end
return 1
