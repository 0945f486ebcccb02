-- Tells a user's mark and the sessions on the user's list.
--
-- KEYS[1] the user's mark        KEYS[2] the user's list
--
-- Reply   {mark or '', sessions…}

return {redis.call('GET', KEYS[1]) or '', unpack(redis.call('ZRANGE', KEYS[2], 0, -1))}
