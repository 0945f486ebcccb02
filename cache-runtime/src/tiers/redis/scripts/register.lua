-- Registers the region of a template, and answers how the cache stands.
--
-- KEYS[1] the registry        KEYS[2] the logical clock, if it is on this server
-- ARGV[1] the region, or '' for none        ARGV[2] 16 random bytes        ARGV[3] an era, should the clock be lost; without KEYS[2] what the clock,
-- which is elsewhere, was moved on to, `era:n`, or '' if it was not
-- ARGV[4] the channel         ARGV[5] what is said there if the cache has no generation and gets one
-- ARGV[6] how long the region is kept from now on at least, in ms
--
-- Reply   the generation of the cache, or `h` while it is held; nothing, where it has none and cannot get one. Without a region, and with a generation there, nothing is written: a full
--         server answers.
--
-- The generation is a field of the registry, so neither can be lost alone: a lost registry kills every entry.
--
-- Keys that are put together by hand may have regions without number. Beyond so many a new one is registered as `*`, any key: then
-- a pattern is looked for key by key, which is right for all of them.

local MOST = 1000
-- So often regions that are over are looked for, in ms.
local EVERY = 1350000
-- Whoever uses a region registers it every hour. After so long the server's clock was set, or nobody was there.
local NOBODY = 5400000

local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)

-- A region is kept until it can have no entry any more. Time that the clock jumped over, or that nobody was there, does not count: what was
-- registered before is believed for an hour still. A clock that was set back changes nothing: entries live until the same moment.
local region = ARGV[1]
local swept = tonumber(redis.call('HGET', KEYS[1], '#swept') or '') or now - EVERY - 1
local since = now - swept
if region ~= '' and (since < 0 or since > EVERY) then
  local jump = since > NOBODY and since or 0
  local fields = redis.call('HGETALL', KEYS[1])
  for i = 1, #fields, 2 do
    local over = tonumber(fields[i + 1])
    -- The generation is no number, and `#swept` is written anyway.
    if over then
      if over + jump < now then
        redis.call('HDEL', KEYS[1], fields[i])
      elseif jump ~= 0 then
        redis.call('HSET', KEYS[1], fields[i], string.format('%.0f', over + jump))
      end
    end
  end
  redis.call('HSET', KEYS[1], '#swept', string.format('%.0f', now))
end

if region ~= '' then
  local full = redis.call('HLEN', KEYS[1]) >= MOST
  if full and redis.call('HEXISTS', KEYS[1], region) == 0 then region = '*' end
  local over = tonumber(redis.call('HGET', KEYS[1], region) or '') or 0
  redis.call('HSET', KEYS[1], region, string.format('%.0f', math.max(over, now + ARGV[6])))
end

local cache = redis.call('HGET', KEYS[1], '#gen') or ''
local held = string.match(cache, '^h(%d+)$')
if held and tonumber(held) > now then return 'h' end
if string.sub(cache, 1, 1) == 'g' and #cache > 33 then return cache end

local function text(reply)
  if type(reply) == 'string' then return reply end
  return ''
end
local era, n
if KEYS[2] then
  era, n = string.match(text(redis.pcall('GET', KEYS[2])), '^(%x+):(%d+)$')
  if not era then era, n = ARGV[3], 0 end
  n = string.format('%.0f', n + 1)
  redis.call('SET', KEYS[2], era .. ':' .. n)
else
  era, n = string.match(ARGV[3], '^(%x+):(%d+)$')
  if not era then return false end
end
cache = 'g' .. ARGV[2] .. era .. n
redis.call('HSET', KEYS[1], '#gen', cache)
redis.pcall('PUBLISH', ARGV[4], ARGV[5])
return cache
