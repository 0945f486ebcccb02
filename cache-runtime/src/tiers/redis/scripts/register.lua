-- Registers the region of a template, and answers how the cache stands.
--
-- KEYS[1] the registry        KEYS[2] the logical clock
-- ARGV[1] the region, or '' for none        ARGV[2] 16 random bytes        ARGV[3] an era, should the clock be lost
-- ARGV[4] the channel         ARGV[5] what is said there if the cache has no generation and gets one
-- ARGV[6] regions that were not registered again for so long are dropped, in ms
--
-- Reply   the generation of the cache, or `h` while it is held. Without a region, and with a generation there, nothing is written: a full
--         server answers.
--
-- The generation is a field of the registry, so neither can be lost alone: a lost registry kills every entry.
--
-- Keys that are put together by hand may have regions without number. Beyond so many a new one is registered as `*`, any key: then
-- a pattern is looked for key by key, which is right for all of them.

local MOST = 1000

local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)
local stamp = string.format('%.0f', now)

local region = ARGV[1]
if region ~= '' then
  local full = redis.call('HLEN', KEYS[1]) >= MOST
  if full and redis.call('HEXISTS', KEYS[1], region) == 0 then region = '*' end
  redis.call('HSET', KEYS[1], region, stamp)
end

-- Now and then, what nobody uses any more. Whoever uses a region registers it every hour, so after a longer time than half of what is
-- allowed the server's clock was set, or nobody was there: then the stamps say nothing, and begin anew.
local unused = tonumber(ARGV[6])
local since = now - (tonumber(redis.call('HGET', KEYS[1], '#swept') or '') or 0)
if region ~= '' and (since < 0 or since > unused / 8) then
  local set = since < 0 or since > unused / 2
  local fields = redis.call('HGETALL', KEYS[1])
  for i = 1, #fields, 2 do
    local is_region = string.sub(fields[i], 1, 1) ~= '#'
    if is_region and set then
      redis.call('HSET', KEYS[1], fields[i], stamp)
    elseif is_region and now - (tonumber(fields[i + 1]) or now) > unused then
      redis.call('HDEL', KEYS[1], fields[i])
    end
  end
  redis.call('HSET', KEYS[1], '#swept', stamp)
end

local cache = redis.call('HGET', KEYS[1], '#gen') or ''
local held = string.match(cache, '^h(%d+)$')
if held and tonumber(held) > now then return 'h' end
if string.sub(cache, 1, 1) == 'g' and #cache > 33 then return cache end

local function text(reply)
  if type(reply) == 'string' then return reply end
  return ''
end
local era, n = string.match(text(redis.pcall('GET', KEYS[2])), '^(%x+):(%d+)$')
if not era then era, n = ARGV[3], 0 end
n = string.format('%.0f', n + 1)
redis.call('SET', KEYS[2], era .. ':' .. n)
cache = 'g' .. ARGV[2] .. era .. n
redis.call('HSET', KEYS[1], '#gen', cache)
redis.pcall('PUBLISH', ARGV[4], ARGV[5])
return cache
