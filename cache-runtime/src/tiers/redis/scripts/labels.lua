-- What a load has to know of its labels, before its origin runs. What has no generation gets one.
--
-- KEYS[1] the logical clock        KEYS[i+1] a label's generation
-- ARGV[1] an era, should the clock be lost
-- ARGV[2] how long the labels live from now on at least, in ms
-- ARGV[i+2] 16 random bytes
--
-- Reply   {clock, label, label, …}: the clock as it was, `era:n`, and of each label its generation, or `h` while it is held
--
-- A generation of another era is not ordered by the clock, and is replaced like a lost one. See evict_labels.lua for its form.

local function text(reply)
  if type(reply) == 'string' then return reply end
  return ''
end

local era, n = string.match(text(redis.pcall('GET', KEYS[1])), '^(%x+):(%d+)$')
if not era then
  era, n = ARGV[1], 0
  redis.call('SET', KEYS[1], era .. ':0')
end
n = tonumber(n)
local before = era .. ':' .. string.format('%.0f', n)

local reply = {before}
for i = 2, #KEYS do
  local label = text(redis.pcall('GET', KEYS[i]))
  local left = redis.call('PTTL', KEYS[i])
  -- Every hold has an end: one without would bar its label for ever.
  local held = label == 'h' and left >= 0
  if string.sub(label, 1, 1) == 'g' and string.sub(label, 18, 33) == era and #label > 33 then
    if left >= 0 and left < tonumber(ARGV[2]) then redis.call('PEXPIRE', KEYS[i], ARGV[2]) end
  elseif not held then
    n = n + 1
    local number = string.format('%.0f', n)
    redis.call('SET', KEYS[1], era .. ':' .. number)
    label = 'g' .. ARGV[i + 1] .. era .. number
    redis.call('SET', KEYS[i], label, 'PX', ARGV[2])
  end
  reply[i] = label
end
return reply
