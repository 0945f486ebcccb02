-- Evicts or expires labels: their generations are replaced, whatever number of entries carries them.
--
-- KEYS[1] the registry, whose field `#gen` is the generation of the cache        KEYS[2] the logical clock
-- KEYS[i+2] a label's generation
-- ARGV[1] '1': only the second half is replaced, so that what carries it counts as past its ttl, else '0'
-- ARGV[2] the channel        ARGV[3] what is said there
-- ARGV[4] an era, should the clock be lost
-- ARGV[5] the least life of a generation in ms
-- ARGV[6] 16 random bytes for the cache, '' where it is not meant        ARGV[7] its hold in ms, 0 for none
-- ARGV[2i+6] 16 random bytes        ARGV[2i+7] how long stores under it are refused in ms, 0 for not at all
--
-- Reply   1
--
-- A generation is `g`, two halves of 8 bytes, the era in 16 hexadecimal digits, and a number. A hold is `h`; that of the
-- cache, which cannot expire by itself, is followed by when it ends. It equals nothing, is extended, and never shortened.

local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)

local function text(reply)
  if type(reply) == 'string' then return reply end
  return ''
end

local function ahead()
  local era, n = string.match(text(redis.pcall('GET', KEYS[2])), '^(%x+):(%d+)$')
  if not era then era, n = ARGV[4], 0 end
  n = string.format('%.0f', n + 1)
  local set = redis.pcall('SET', KEYS[2], era .. ':' .. n)
  -- A clock that cannot be written must not stand still beside new generations.
  if type(set) == 'table' and set.err then return nil end
  return era .. n
end

local function generation(old, random, made)
  local first = string.sub(random, 1, 8)
  if ARGV[1] == '1' and string.sub(old, 1, 1) == 'g' and #old > 33 then first = string.sub(old, 2, 9) end
  return 'g' .. first .. string.sub(random, 9, 16) .. made
end

-- By name: a label may be named twice, with a hold and without.
local old, left = {}, {}
for i = 3, #KEYS do
  old[KEYS[i]] = text(redis.pcall('GET', KEYS[i]))
  left[KEYS[i]] = redis.call('PTTL', KEYS[i])
end
local cache = text(redis.pcall('HGET', KEYS[1], '#gen'))

-- First everything is deleted: what has no generation is as dead as what has another one, and a full server lets a
-- script write that has deleted.
if ARGV[6] ~= '' then redis.call('HDEL', KEYS[1], '#gen') end
for i = 3, #KEYS do redis.call('DEL', KEYS[i]) end

local made = ahead()
if ARGV[6] ~= '' and made then
  local held = tonumber(string.match(cache, '^h(%d+)$') or '0')
  local hold = tonumber(ARGV[7])
  local value
  if held > now or hold > 0 then
    value = 'h' .. string.format('%.0f', math.max(held, now + hold))
  else
    value = generation(cache, ARGV[6], made)
  end
  redis.pcall('HSET', KEYS[1], '#gen', value)
end
for i = 3, #KEYS do
  local label, random, hold = KEYS[i], ARGV[2 * i + 2], tonumber(ARGV[2 * i + 3])
  local held = old[label] == 'h' and left[label] or 0
  if held > 0 or hold > 0 then
    old[label], left[label] = 'h', math.max(held, hold)
    redis.pcall('SET', label, 'h', 'PX', string.format('%.0f', left[label]))
  elseif made then
    local life = string.format('%.0f', math.max(left[label], tonumber(ARGV[5])))
    redis.pcall('SET', label, generation(old[label], random, made), 'PX', life)
  end
end

redis.pcall('PUBLISH', ARGV[2], ARGV[3])
return 1
