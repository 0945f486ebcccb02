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
--
-- Where the clock is on another server, KEYS[i] is a label, and ARGV[1] what the clock was moved on to for what is made here, `era:n`; or `:`
-- to make nothing: then a label without a generation is '', and whether one is of another era is for the caller to see.

local function text(reply)
  if type(reply) == 'string' then return reply end
  return ''
end

local elsewhere = string.find(ARGV[1], ':', 1, true)
local first = elsewhere and 1 or 2
local era, n = string.match(elsewhere and ARGV[1] or text(redis.pcall('GET', KEYS[1])), '^(%x*):(%d*)$')
if not era then
  era, n = ARGV[1], 0
  redis.call('SET', KEYS[1], era .. ':0')
end
local before = era .. ':' .. n

local reply = {before}
for i = first, #KEYS do
  local label = text(redis.pcall('GET', KEYS[i]))
  local left = redis.call('PTTL', KEYS[i])
  -- Every hold has an end: one without would bar its label for ever.
  local held = label == 'h' and left >= 0
  local is_generation = string.sub(label, 1, 1) == 'g' and #label > 33
  if is_generation and (era == '' or string.sub(label, 18, 33) == era) then
    if left >= 0 and left < tonumber(ARGV[2]) then redis.call('PEXPIRE', KEYS[i], ARGV[2]) end
  elseif era == '' and not held then
    label = ''
  elseif not held then
    if not elsewhere then
      n = string.format('%.0f', n + 1)
      redis.call('SET', KEYS[1], era .. ':' .. n)
    end
    label = 'g' .. ARGV[i - first + 3] .. era .. n
    redis.call('SET', KEYS[i], label, 'PX', ARGV[2])
  end
  reply[#reply + 1] = label
end
return reply
