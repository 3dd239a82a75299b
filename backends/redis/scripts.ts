import { createHash } from 'node:crypto'
import { Refused } from './errors.js'
import type { Sender } from './calls.js'

/**
 * Comparing and writing in one step, on the server. Each works on one key, so that it runs on a cluster, and begins without a `#!lua` line,
 * for with one a server that refuses writes refuses the whole script, reads too. Times go as durations in milliseconds.
 *
 * A record is one string: its version, of `VERSION_LENGTH` characters, and its value. A key of ours that holds anything else is a record
 * that cannot be read, and no error.
 */
export interface Script {
  readonly text: string
  /** By which a server knows it (EVALSHA). */
  readonly digest: string
}

export const VERSION_LENGTH = 22

const script = (text: string): Script => ({ text, digest: createHash('sha1').update(text).digest('hex') })

/** Asks about KEYS[1] into a variable: what is no string answers `false`, and any other refusal (of a right, say) is the script's. */
const ask = (variable: string, call: string): string => `
local ${variable} = redis.pcall(${call})
if type(${variable}) == 'table' then
  if string.sub(${variable}.err, 1, 9) ~= 'WRONGTYPE' then return ${variable} end
  ${variable} = false
end`

const askVersion = ask('version', `'GETRANGE', KEYS[1], 0, ${VERSION_LENGTH - 1}`)

/**
 * ARGV: the longest string that is read; with a touch the new duration, and the one below which it is given.
 * Answers the string (false: none; 0: no record of ours), what was left of its time, and whether it was touched.
 */
export const readScript: Script = script(`${ask('size', `'STRLEN', KEYS[1]`)}
if size == 0 then return {false, 0, 0} end
local found = 0
if size and size <= tonumber(ARGV[1]) then found = redis.call('GET', KEYS[1]) end
local left = redis.call('PTTL', KEYS[1])
local touched = 0
if ARGV[2] and left < tonumber(ARGV[3]) and redis.pcall('PEXPIRE', KEYS[1], ARGV[2]) == 1 then touched = 1 end
return {found, left, touched}`)

/** ARGV: the version to replace, the new record, its duration. Answers 1, and 1 again when it is sent again; else 0. */
export const replaceScript: Script = script(`${askVersion}
if version == string.sub(ARGV[2], 1, ${VERSION_LENGTH}) then return 1 end
if version ~= ARGV[1] then return 0 end
if tonumber(ARGV[3]) > 0 then redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3]) else redis.call('DEL', KEYS[1]) end
return 1`)

/**
 * ARGV: the version to delete, empty for any; whether replicas are waited for. Answers whether it did. WAIT speaks of this connection's
 * writes only (on Valkey; an earlier redis is stricter): for it a record that is gone already is written and removed, so that nobody is
 * told of an end that no replica knows of.
 */
export const deleteScript: Script = script(`${askVersion}
if version == '' and ARGV[2] == '1' then redis.call('SET', KEYS[1], '', 'PX', 1) end
if ARGV[1] == '' or version == ARGV[1] or version == '' then
  local removed = redis.call('DEL', KEYS[1])
  return version == '' and 0 or removed
end
return 0`)

/** ARGV: the lease's token. Answers whether it was there. */
export const releaseScript: Script = script(`
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
return redis.call('DEL', KEYS[1])`)

/**
 * Adds to an owner's set: scores are ends on the server's clock. ARGV: the record's key, the entry's duration, and for how long an entry
 * stays after its end, in case the clock of the next master is behind. The set ends after the last of its entries.
 * It always writes, so that WAIT has something to speak of.
 */
export const addOwnedScript: Script = script(`
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now - ARGV[3])
redis.call('ZADD', KEYS[1], 'GT', now + ARGV[2], ARGV[1])
local lasts = ARGV[2] + ARGV[3]
redis.call('PEXPIRE', KEYS[1], math.max(lasts, redis.call('PTTL', KEYS[1])))
return 1`)

/** Sends the digest, and the script itself to a server that does not know it (any more). */
export const runScript = async (sender: Sender, { digest, text }: Script, key: string, args: readonly (string | number)[], deadline: number): Promise<unknown> => {
  try {
    return await sender.send(['evalsha', digest, 1, key, ...args], deadline)
  } catch (error) {
    if (!(error instanceof Refused && error.code === 'NOSCRIPT')) throw error
    return sender.send(['eval', text, 1, key, ...args], deadline)
  }
}
