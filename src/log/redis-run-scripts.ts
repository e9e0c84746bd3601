// The steps over a stream's keys that give its run to an owner, and end it without one.

import { PRELUDE } from "./redis-prelude.ts";
import { MAKE } from "./redis-scripts.ts";
import { MAX_IDLE_TAKEOVERS } from "./run-rules.ts";

const FINISH_FUNCTION = `
local function finish(reason)
  M.e = '{"reason":"' .. reason .. '"}'
  redis.call('HSET', KEYS[1], 'e', M.e)
  tell()
end
`;

// A Redis that took over from another may not know of a claim, and gives the run again: the two must not have one epoch, so it
// is made of the time and of a number that the caller has drawn.
const EPOCH_FUNCTION = `
local function fresh(token)
  local drawn = tonumber(string.sub(token, -3), 16) % 1000
  return num(math.max(tonumber(M.ep) + 1, now * 1000 + drawn))
end
`;

/** ARGV: 5 to 11 as for CREATE, 12 owner, 13 kind or '', 14 withinMs, 15 token, 16 not after. @returns `[claimed, fields]` */
export const CLAIM: string = `${PRELUDE}${MAKE}${EPOCH_FUNCTION}
local there = find()
if there and M.cl == ARGV[15] then return {1, shown()} end
if now > tonumber(ARGV[16]) then return {-1, false} end
if not there then make() end
if M.ep ~= '0' or M.e then return {0, shown()} end
local set = {'o', ARGV[12], 'ep', fresh(ARGV[15]), 'cl', ARGV[15]}
if ARGV[13] ~= '' then
  for _, part in ipairs({'ck', ARGV[13], 'cw', ARGV[14]}) do set[#set + 1] = part end
end
redis.call('HSET', KEYS[1], unpack(set))
load()
tell()
return {1, shown()}`;

/**
 * ARGV: 5 the epoch that was seen, 6 when the owner's lease ran out ('' where the run must have been given up), 7 owner,
 * 8 token, 9 not after. @returns `[claimed, fields]` or false
 */
export const TAKE: string = `${PRELUDE}${FINISH_FUNCTION}${EPOCH_FUNCTION}
if not find() then return false end
if M.cl == ARGV[8] then return {1, shown()} end
if now > tonumber(ARGV[9]) then return {-1, false} end
local since = tonumber(M.ra or ARGV[6])
if M.e or not M.o or not M.ck or M.ep ~= ARGV[5] or not since then return {0, shown()} end
if M.st then
  finish('stopped')
  return {0, shown()}
end
if now >= since + tonumber(M.cw) then return {0, shown()} end
if M.ra then redis.call('HDEL', KEYS[1], 'ra', 'tc', 'tl')
else
  local count = M.tl == M.t and tonumber(M.tc) + 1 or 1
  if count > ${MAX_IDLE_TAKEOVERS} then
    finish('interrupted')
    return {0, shown()}
  end
  redis.call('HSET', KEYS[1], 'tc', num(count), 'tl', M.t)
end
redis.call('HSET', KEYS[1], 'o', ARGV[7], 'ep', fresh(ARGV[8]), 'cl', ARGV[8])
load()
tell()
return {1, shown()}`;

/** ARGV: 5 the epoch that was seen. Ends the run. @returns whether it did */
export const FINISH: string = `${PRELUDE}${FINISH_FUNCTION}
if not find() or M.e or not M.o or M.ep ~= ARGV[5] then return 0 end
finish((M.ck and M.st) and 'stopped' or 'interrupted')
return 1`;
