import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Teardown } from './app.js'

const openssl = (directory: string, ...args: string[]): void => {
  const { status, stderr } = spawnSync('openssl', args, { cwd: directory, encoding: 'utf8' })
  if (status !== 0) throw new Error(stderr)
}

/** A directory, which goes with the test, with certificates and keys of an authority, a server on 127.0.0.1 and a client: `ca.crt`, `server.crt`, `server.key`, … */
export const certificates = (t: Teardown): string => {
  const directory = mkdtempSync(join(tmpdir(), 'phial-tls-'))
  t.teardown(() => rmSync(directory, { recursive: true, force: true }))
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes']
  openssl(directory, 'req', '-x509', ...key, '-subj', '/CN=authority', '-days', '2', '-keyout', 'ca.key', '-out', 'ca.crt')
  for (const [name, subject] of [['server', '/CN=127.0.0.1'], ['client', '/CN=client']] as const) {
    openssl(directory, 'req', ...key, '-subj', subject, '-addext', 'subjectAltName=IP:127.0.0.1', '-keyout', `${name}.key`, '-out', `${name}.csr`)
    openssl(directory, 'x509', '-req', '-in', `${name}.csr`, '-CA', 'ca.crt', '-CAkey', 'ca.key', '-CAcreateserial', '-copy_extensions', 'copyall', '-days', '2', '-out', `${name}.crt`)
  }
  return directory
}

/** What a redis server is told of them. */
export const tlsFiles = (directory: string): string[] =>
  ['--tls-cert-file', join(directory, 'server.crt'), '--tls-key-file', join(directory, 'server.key'), '--tls-ca-cert-file', join(directory, 'ca.crt')]
