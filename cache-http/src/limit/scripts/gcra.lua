-- Counts a request against a rate, exactly (GCRA).
--
-- KEYS[1] the moment at which all that was allowed so far would have come at the exact rate, in µs ("theoretical arrival time")
-- ARGV[1] µs between two requests at that rate        ARGV[2] how many may come at once        ARGV[3] what this one counts as, at most ARGV[2]
--
-- Reply   {allowed, left, full, wait, now}
--         allowed 1 or 0        left: how many more may come at once        full: µs until all of them may
--         wait: µs until this one would be allowed, 0 if it is        now: this server's time in µs
--
-- Numbers here are doubles: whole to 2^53 µs after 1970, which is the year 2255. What is refused is not counted. The key ends when it says what no key would say.

local clock = redis.call('TIME')
local now = clock[1] * 1000000 + clock[2]
local interval, burst, cost = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local tolerance = interval * burst

-- A clock that was set back would leave it in a future that no request can have reached.
local due = tonumber(redis.call('GET', KEYS[1]) or '') or now
due = math.min(math.max(due, now), now + tolerance)

local after = due + cost * interval
local wait = after - now - tolerance
if wait > 0 then
  return {0, math.floor((tolerance - (due - now)) / interval), due - now, wait, now}
end
redis.call('SET', KEYS[1], string.format('%.0f', after), 'PX', string.format('%.0f', math.ceil((after - now) / 1000)))
return {1, math.floor(-wait / interval), after - now, 0, now}
