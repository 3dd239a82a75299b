import test from 'ava'
import type { ExecutionContext } from 'ava'
import { execFileSync } from 'node:child_process'
import { generateKeyPairSync } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { keyOf, opening } from '../support/datastore-store.js'
import { temporaryDirectory } from '../support/every-backend.js'
import { runProgram } from '../support/run-program.js'
import { ScriptedDatastore } from '../support/scripted-datastore.js'
import { findProgram } from '../support/server-process.js'

const openssl = findProgram('openssl')
if (openssl === undefined) process.stderr.write('\nthe tests of datastore over TLS are skipped: openssl is not installed\n\n')
const testOfTls = openssl === undefined ? test.skip : test

const { grpc } = createRequire(createRequire(import.meta.url).resolve('@google-cloud/datastore'))('google-gax')

interface Secured {
  readonly server: ScriptedDatastore
  /** The headers of each call. */
  readonly headers: Readonly<Record<string, string>>[]
  readonly certificate: string
  /** A service account's key file. */
  readonly account: string
}

/** A server with a certificate of its own making, and an account. */
const secured = async (t: ExecutionContext): Promise<Secured> => {
  const folder = temporaryDirectory(t)
  const [key, certificate, account] = ['key.pem', 'certificate.pem', 'account.json'].map((name) => join(folder, name)) as [string, string, string]
  const subject = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost']
  execFileSync(openssl!, ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '2', ...subject, '-keyout', key, '-out', certificate], { stdio: 'ignore' })
  const pems = { privateKeyEncoding: { type: 'pkcs8', format: 'pem' }, publicKeyEncoding: { type: 'spki', format: 'pem' } } as const
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048, ...pems })
  const fields = { type: 'service_account', client_email: 'phial@example.com', private_key: privateKey, private_key_id: '1', project_id: 'shop' }
  writeFileSync(account, JSON.stringify(fields))
  const credentials = grpc.ServerCredentials.createSsl(null, [{ private_key: readFileSync(key), cert_chain: readFileSync(certificate) }])
  const server = await ScriptedDatastore.start(t, undefined, credentials)
  const headers: Record<string, string>[] = []
  server.always('lookup', async (_forward, request, sent) => {
    headers.push(sent)
    return { found: [], missing: request['keys'].map((one: object) => ({ entity: { key: one } })) }
  })
  return { server, headers, certificate, account }
}

const program = (url: string, options: string): string => opening(url, 8, options) + `
  try { console.log(await manager.get('${keyOf('a')}')) } catch (error) { console.log(error.code) }
  await manager.close()`

testOfTls('https: encrypted, with credentials of the account, for the project and the database that are named', async (t) => {
  const { server, headers, certificate, account } = await secured(t)
  const url = `https://localhost:${server.port}/shop/other`
  const env = { GRPC_DEFAULT_SSL_ROOTS_FILE_PATH: certificate, METADATA_SERVER_DETECTION: 'none' }
  const { client_email, private_key } = JSON.parse(readFileSync(account, 'utf8'))
  for (const options of [`keyFilename: '${account}'`, `credentials: ${JSON.stringify({ client_email, private_key })}`]) {
    t.deepEqual(await runProgram(program(url, options), env), { code: 0, output: 'undefined\n' })
  }
  t.is(headers.length, 2)
  for (const sent of headers) {
    const [, claims = ''] = sent['authorization']!.replace(/^Bearer /, '').split('.')
    t.is(JSON.parse(Buffer.from(claims, 'base64url').toString()).iss, 'phial@example.com')
    t.is(sent['x-goog-request-params'], 'project_id=shop&database_id=other')
  }
})

testOfTls('https: a certificate that nobody vouches for is not spoken to', async (t) => {
  const { server, headers, account } = await secured(t)
  const ended = await runProgram(program(`https://localhost:${server.port}/shop`, `keyFilename: '${account}'`), { METADATA_SERVER_DETECTION: 'none' })
  t.deepEqual(ended, { code: 0, output: 'PHIAL_STORE_UNAVAILABLE\n' })
  t.deepEqual(headers, [])
})
