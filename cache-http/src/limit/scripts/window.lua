-- Counts a request against a sliding window, made of two counters.
--
-- KEYS[1] 'window:here:before': which window, what was counted in it, and in the one before it
-- ARGV[1] ms of a window        ARGV[2] how many are allowed in one        ARGV[3] what this one counts as, at most ARGV[2]
--
-- Reply   {allowed, left, full, wait, now}
--         allowed 1 or 0        left: how many more may come now        full: ms until nothing is counted any more
--         wait: ms until this one would be allowed, 0 if it is        now: this server's time in ms
--
-- What came before this window counts as if it had been spread over the whole of its own. What is refused is not counted. The key ends with the window after the last one counted in.

local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)
local size, most, cost = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local window = math.floor(now / size)
local passed = now - window * size

local at, here, before = string.match(redis.call('GET', KEYS[1]) or '', '^(%d+):(%d+):(%d+)$')
at, here, before = tonumber(at), tonumber(here), tonumber(before)
-- A window of the future was counted before the clock was set back: it says nothing of the present.
if at == window - 1 then here, before = 0, here
elseif at ~= window then here, before = 0, 0 end

-- What may still come, times the size of a window: whole numbers compare exactly. They do to 2^53; beyond it the error is far below one request.
local room = most * size - before * (size - passed) - here * size

if room < cost * size then
  local wait
  if here + cost <= most then
    wait = size - math.floor((most - here - cost) * size / before) - passed
  else
    wait = size - passed + size - math.floor((most - cost) * size / here)
  end
  local full = here > 0 and 2 * size - passed or size - passed
  return {0, math.max(math.floor(room / size), 0), full, wait, now}
end

here = here + cost
redis.call('SET', KEYS[1], string.format('%.0f:%.0f:%.0f', window, here, before), 'PX', string.format('%.0f', 2 * size - passed))
return {1, math.floor(room / size) - cost, 2 * size - passed, 0, now}
