/*
 * What must happen in one step at Redis. XINFO answers names and values in one flat list.
 */

const INFO = `
local function infoOf(flat)
  local info = {}
  for at = 1, #flat, 2 do info[flat[at]] = flat[at + 1] end
  return info
end
local function groupOf(stream, name)
  for _, flat in ipairs(redis.call('xinfo', 'groups', stream)) do
    local info = infoOf(flat)
    if info['name'] == name then return info end
  end
end
local function greater(a, b)
  if #a ~= #b then return #a > #b end
  return a > b
end
local function after(a, b)
  local ams, an = string.match(a, '^(%d+)-(%d+)$')
  local bms, bn = string.match(b, '^(%d+)-(%d+)$')
  if ams == bms then return greater(an, bn) end
  return greater(ams, bms)
end
`;

/**
 * Whether new entries may be taken: the lease is ours and the group stands where we left it. Where it does not, entries were delivered
 * to us in an answer that never came, or to somebody else: they must be looked for among the pending ones first, or they would be
 * passed over. It does not take them itself: what goes through Lua is converted twice, which costs Redis three times as much.
 *
 * Entries that were deleted before the group came to them are counted: all that the stream ever had, without those that are in it, are
 * those before its first one; the group passed \`entries-read\` of them. Its figure is put right, so that they are counted once.
 *
 * KEYS lease, stream; ARGV token, group, last delivered id. Answers {'lost'}, {'vanished'}, {'moved'} or {'read', deleted}.
 */
export const CHECK = `${INFO}
if redis.call('get', KEYS[1]) ~= ARGV[1] then return {'lost'} end
if redis.call('exists', KEYS[2]) == 0 then return {'vanished'} end
local group = groupOf(KEYS[2], ARGV[2])
if not group then return {'vanished'} end
local last = group['last-delivered-id']
if last ~= ARGV[3] then return {'moved'} end
local stream = infoOf(redis.call('xinfo', 'stream', KEYS[2]))
local first = stream['first-entry'] and stream['first-entry'][1]
local passed = group['entries-read'] or (last == '0-0' and 0)
local gone = stream['entries-added'] - stream['length']
local whole = not first or (after(first, last) and after(first, stream['max-deleted-entry-id']))
local deleted = 0
if whole and passed and gone > passed then
  deleted = gone - passed
  redis.call('xgroup', 'setid', KEYS[2], ARGV[2], last, 'entriesread', gone)
end
return {'read', deleted}
`;

/**
 * What the group has now. How many entries it was given is written down: Redis 7.0 does not do that when it gives
 * them, and after a kill what was read before would count as unread, and when it is trimmed as lost.
 * KEYS stream; ARGV group, last delivered id before. Answers pending, lag; nothing when there is no group.
 */
export const FIGURES = `${INFO}
if redis.call('exists', KEYS[1]) == 0 then return {} end
local group = groupOf(KEYS[1], ARGV[1])
if not group then return {} end
local last = group['last-delivered-id']
local passed = group['entries-read']
if passed and last ~= ARGV[2] then redis.call('xgroup', 'setid', KEYS[1], ARGV[1], last, 'entriesread', passed) end
return {group['pending'], group['lag']}
`;

/**
 * Move a pending entry to the dead ones, byte for byte, and acknowledge it; once, however often it is asked. One that was buried before
 * is pending again when its group was made again: then it is looked for among the newest dead ones.
 * KEYS stream, dead; ARGV group, id, reason, most entries, most fields (what Lua can pass on at once), dead ones to look through.
 */
export const BURY = `
if #redis.call('xpending', KEYS[1], ARGV[1], ARGV[2], ARGV[2], 1) == 0 then return 0 end
local known = ARGV[6] ~= '0' and redis.call('xrevrange', KEYS[2], '+', '-', 'COUNT', ARGV[6]) or {}
for _, dead in ipairs(known) do
  if dead[2][4] == ARGV[2] then return redis.call('xack', KEYS[1], ARGV[1], ARGV[2]) end
end
local found = redis.call('xrange', KEYS[1], ARGV[2], ARGV[2])
local fields = found[1] and found[1][2] or {}
local last = math.min(#fields, tonumber(ARGV[5]))
redis.call('xadd', KEYS[2], 'MAXLEN', '~', ARGV[4], '*', 'reason', ARGV[3], 'id', ARGV[2], unpack(fields, 1, last))
return redis.call('xack', KEYS[1], ARGV[1], ARGV[2])
`;

/** Delete what every group has acknowledged. KEYS stream. */
export const TRIM = `${INFO}
if redis.call('exists', KEYS[1]) == 0 then return 0 end
local kept
for _, flat in ipairs(redis.call('xinfo', 'groups', KEYS[1])) do
  local group = infoOf(flat)
  local needed = group['last-delivered-id']
  if group['pending'] > 0 then needed = redis.call('xpending', KEYS[1], group['name'])[2] end
  if not kept or after(kept, needed) then kept = needed end
end
if not kept then return 0 end
return redis.call('xtrim', KEYS[1], 'MINID', kept)
`;

/** Forget consumers that wait for no acknowledgement: each process has a name of its own. KEYS lease, stream; ARGV token, group, consumer. */
export const TIDY = `${INFO}
if redis.call('get', KEYS[1]) ~= ARGV[1] then return 0 end
for _, flat in ipairs(redis.call('xinfo', 'consumers', KEYS[2], ARGV[2])) do
  local consumer = infoOf(flat)
  if consumer['name'] ~= ARGV[3] and consumer['pending'] == 0 then
    redis.call('xgroup', 'delconsumer', KEYS[2], ARGV[2], consumer['name'])
  end
end
return 1
`;

/** Put a dead entry back at the end of the stream, byte for byte; once. KEYS dead, stream; ARGV id, most fields. Answers the new id, or nil. */
export const REPLAY = `
local found = redis.call('xrange', KEYS[1], ARGV[1], ARGV[1])
local fields = found[1] and found[1][2] or {}
if #fields < 6 then return false end
local id = redis.call('xadd', KEYS[2], '*', unpack(fields, 5, math.min(#fields, tonumber(ARGV[2]))))
redis.call('xdel', KEYS[1], ARGV[1])
return id
`;
