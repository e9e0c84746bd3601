// The steps that Redis makes of one piece, besides the append: Lua over the keys of one stream.

import { PRELUDE } from "./redis-prelude.ts";

// ARGV: 5 the configuration, 6 kind of payload, 7 maxItems, 8 maxBytes, 9 maxAgeMs, 10 ttlMs, 11 the tail that a stream of this
// name is known to have had; '' where there is none.
export const MAKE: string = `
local function make()
  drop()
  local start = num(math.max(now, tonumber(redis.call('GET', KEYS[6]) or '0'), (tonumber(ARGV[11]) or -1) + 1))
  local set = {'s', start, 't', start, 'b', '0', 'ep', '0', 'c', ARGV[5], 'k', ARGV[6], 'g', generation()}
  for i, field in ipairs({'mi', 'mb', 'ma', 'tt'}) do
    if ARGV[6 + i] ~= '' then set[#set + 1] = field; set[#set + 1] = ARGV[6 + i] end
  end
  redis.call('HSET', KEYS[1], unpack(set))
  redis.call('DEL', KEYS[6])
  load()
  touch()
  tell()
end
`;

/** @returns `[created, fields]` */
export const CREATE: string = `${PRELUDE}${MAKE}
if find() then return {0, shown()} end
make()
return {1, shown()}`;

/** @returns `[now, fields]`, the fields false if there is no such stream */
export const HEAD: string = `${PRELUDE}
if not find() then return {num(now), false} end
return {num(now), shown()}`;

/** ARGV: 5 the sequence number read so far, 6 maxItems, 7 maxBytes. @returns `[fields, payloads]` */
export const READ: string = `${PRELUDE}
if not find() then return {false, {}} end
touch()
local after = tonumber(ARGV[5])
local first = tonumber(M.s)
local tail = tonumber(M.t)
if not after or after < first or after > tail or not count(after) then return {shown(), {}} end
local upto = count(tail)
for _, leap in ipairs(leaps()) do
  if leap[3] and leap[1] >= after then
    upto = count(leap[1])
    break
  end
end
local maxItems = tonumber(ARGV[6])
local maxBytes = tonumber(ARGV[7])
local at = count(after)
local given = {}
local bytes = 0
-- In growing pieces: items may be long, and most reads want few.
local piece = 32
while #given < maxItems and at < upto do
  local items = redis.call('LRANGE', KEYS[2], at, at + math.min(piece, maxItems - #given, upto - at) - 1)
  if #items == 0 then break end
  for _, item in ipairs(items) do
    bytes = bytes + #item
    if #given > 0 and bytes > maxBytes then return {shown(), given} end
    given[#given + 1] = item
  end
  at = at + #items
  piece = bytes < maxBytes / 4 and piece * 4 or piece
end
return {shown(), given}`;

/** @returns `[1, owner]` or 0 */
export const DELETE: string = `${PRELUDE}
local there = find()
drop()
if not there then return 0 end
tell('g')
return {1, M.o}`;

/** @returns `[isNew, fields]` or false */
export const STOP: string = `${PRELUDE}
if not find() then return false end
if M.e or not M.o or M.st then return {0, shown()} end
redis.call('HSET', KEYS[1], 'st', '1')
M.st = '1'
tell()
return {1, shown()}`;
