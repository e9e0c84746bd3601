// The steps over the keys of one owner of runs, and over the two sets that say where to look for runs without one. Each
// lies in a slot of its own: what belongs to several is done in an order in which every step can be made again.

import { NOW } from "./redis-prelude.ts";

/** Longer than any run waits to be carried on: then an owner that nothing asks for any more is forgotten. */
const FORGET_MS = 777_600_000;

// KEYS of an owner: 1 until when its lease lasts, 2 its runs: name -> token, or `!` and when its lease ran out for a run
// that has been taken from it.
const OWNER = `${NOW}
local function keep()
  redis.call('PEXPIRE', KEYS[1], ${FORGET_MS})
  redis.call('PEXPIRE', KEYS[2], ${FORGET_MS})
end
local lease = tonumber(redis.call('GET', KEYS[1]) or '0')
`;

/** ARGV: 2 leaseMs, 3 name, 4 something of its own. The owner is about to be given a run. @returns `[now, token]` */
export const REGISTER: string = `${OWNER}
local token = num(now) .. '-' .. ARGV[4]
redis.call('SET', KEYS[1], num(now + tonumber(ARGV[2])))
redis.call('HSET', KEYS[2], ARGV[3], token)
keep()
return {num(now), token}`;

/** ARGV: 2 leaseMs. @returns `[now, runs]`: name, token, name, token */
export const BEAT: string = `${OWNER}
redis.call('SET', KEYS[1], num(now + tonumber(ARGV[2])))
keep()
return {num(now), redis.call('HGETALL', KEYS[2])}`;

/** ARGV: 2 name, 3 something of its own. Changes the token, by which the owner's next beat sees that something has happened to the run. */
export const MARK: string = `${OWNER}
local entry = redis.call('HGET', KEYS[2], ARGV[2])
if entry and string.sub(entry, 1, 1) ~= '!' then
  redis.call('HSET', KEYS[2], ARGV[2], string.match(entry, '^[^+]*') .. '+' .. ARGV[3])
end
return 1`;

/** @returns `[now, lease, runs]` */
export const OWNER_STATE: string = `${OWNER}
return {num(now), num(lease), redis.call('HGETALL', KEYS[2])}`;

/** ARGV: 2 name. @returns `[now, lease, name, token]`, without the last two if it has no such run */
export const OWNER_ENTRY: string = `${OWNER}
local entry = redis.call('HGET', KEYS[2], ARGV[2])
return {num(now), num(lease), entry and {ARGV[2], entry} or {}}`;

/**
 * ARGV: 2 name. Takes the run from its owner if the lease is over: from then on a beat does not name it, whatever becomes
 * of whoever took it. @returns `[taken, when the lease ran out]`
 */
export const CONDEMN: string = `${OWNER}
local entry = redis.call('HGET', KEYS[2], ARGV[2])
if entry and string.sub(entry, 1, 1) == '!' then return {1, string.sub(entry, 2)} end
if entry and lease > now then return {0, num(lease)} end
if entry then
  redis.call('HSET', KEYS[2], ARGV[2], '!' .. num(lease))
  keep()
end
return {1, num(math.min(lease, now))}`;

/** ARGV: 2 name, 3 the token that was seen. */
export const FORGET_RUN: string = `${OWNER}
if redis.call('HGET', KEYS[2], ARGV[2]) == ARGV[3] then return redis.call('HDEL', KEYS[2], ARGV[2]) end
return 0`;

/** @returns whether nothing is left of the owner */
export const FORGET_OWNER: string = `${OWNER}
if lease > now or redis.call('HLEN', KEYS[2]) > 0 then return 0 end
redis.call('DEL', KEYS[1], KEYS[2])
return 1`;

// KEYS: 1 a sorted set, of owners by the end of their leases, or of runs to look at.

/** ARGV: 2 how far from now, 3 member. @returns the score, as it is shown later on */
export const INDEX_ADD: string = `${NOW}
redis.call('ZADD', KEYS[1], string.format('%.3f', now + tonumber(ARGV[2])), ARGV[3])
return redis.call('ZSCORE', KEYS[1], ARGV[3])`;

/** ARGV: 2 how many, 3 whether to give those as well that lie in the future. @returns member, score, member, score */
export const INDEX_DUE: string = `${NOW}
local upto = ARGV[3] == 'all' and '+inf' or num(now)
return redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', upto, 'WITHSCORES', 'LIMIT', 0, ARGV[2])`;

/** ARGV: 2 member, 3 the score that was seen. */
export const INDEX_REMOVE: string = `${NOW}
if redis.call('ZSCORE', KEYS[1], ARGV[2]) == ARGV[3] then return redis.call('ZREM', KEYS[1], ARGV[2]) end
return 0`;
