import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { hostname, tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Teardown } from './app.js'
import { MemcachedServer } from './memcached-server.js'

export const USER = 'ann'
/** With what a url has to write in another way. */
export const PASSWORD = 'p:a@s,s %wörd'

/** A memcached that asks for this user and password, or why there is none. */
export const startWithSasl = async (t: Teardown): Promise<MemcachedServer | string> => {
  const home = mkdtempSync(join(tmpdir(), 'phial-sasl-'))
  t.teardown(() => rmSync(home, { recursive: true, force: true }))
  const database = join(home, 'sasldb2')
  if (!writeUser(database)) return 'neither saslpasswd2 nor perl with DB_File could write a user'
  writeFileSync(join(home, 'memcached.conf'), `mech_list: plain\nsasldb_path: ${database}\n`)
  try {
    const server = await MemcachedServer.start({ args: ['-S'], env: { SASL_CONF_PATH: home } })
    t.teardown(() => server.kill())
    return server
  } catch (error) {
    return `memcached -S did not start: ${String(error)}`
  }
}

/** By Cyrus SASL's own tool, or as it would: a Berkeley database whose keys are user, realm and property, apart by NULs. */
const writeUser = (database: string): boolean => {
  const args = ['-p', '-c', '-f', database, '-u', hostname(), USER]
  if (spawnSync('saslpasswd2', args, { input: `${PASSWORD}\n` }).status === 0) return true
  const program = 'tie my %db, "DB_File", shift, O_CREAT|O_RDWR, 0644, $DB_HASH or die; $db{"$ARGV[0]\\0$ARGV[1]\\0userPassword"} = $ARGV[2]'
  return spawnSync('perl', ['-MDB_File', '-e', program, database, USER, hostname(), PASSWORD]).status === 0
}
