import test from 'ava'
import { addressOf } from '../../../backends/datastore/address.js'
import type { Address } from '../../../backends/datastore/address.js'
import type { DatastoreOptions } from '../../../backends/datastore/manifest.js'

const read = (url?: string, options: Partial<DatastoreOptions> = {}, env: Record<string, string> = {}): Address =>
  addressOf(url, { kind: 'PhialSession', ...options }, env)

const fault = (...given: Parameters<typeof read>): string => {
  try {
    return `accepted as ${JSON.stringify(read(...given))}`
  } catch (error) {
    return `${(error as { code: string }).code} ${(error as { setting: string }).setting}`
  }
}

const google = (projectId: string | undefined, databaseId = ''): Address => ({ projectId, databaseId, endpoint: undefined })
const emulator = (host: string, port: number, projectId = 'shop', databaseId = ''): Address =>
  ({ projectId, databaseId, endpoint: { host, port, isEmulator: true } })

test('url: datastore://PROJECT is Google\'s own, with a database where one is named', (t) => {
  t.deepEqual(read('datastore://my-project'), google('my-project'))
  t.deepEqual(read('datastore://my-project/'), google('my-project'))
  t.deepEqual(read('datastore://my-project/eu-sessions'), google('my-project', 'eu-sessions'))
  t.deepEqual(read('datastore://my-project/(default)'), google('my-project'))
})

test('url: with a port it is an emulator, and so is http', (t) => {
  t.deepEqual(read('datastore://127.0.0.1:8081/shop'), emulator('127.0.0.1', 8081))
  t.deepEqual(read('http://localhost:8081/shop'), emulator('localhost', 8081))
  t.deepEqual(read('http://[::1]:8081/shop/other'), emulator('[::1]', 8081, 'shop', 'other'))
  t.deepEqual(read('http://localhost:8081', { projectId: 'shop' }), emulator('localhost', 8081))
})

test('url: https is another endpoint of Google\'s, with TLS and credentials', (t) => {
  const endpoint = { host: 'datastore.us-east1.rep.googleapis.com', port: 443, isEmulator: false }
  t.deepEqual(read('https://datastore.us-east1.rep.googleapis.com/shop'), { projectId: 'shop', databaseId: '', endpoint })
})

test('without a url: the environment\'s emulator, else Google; the project by option, environment, or later by the credentials', (t) => {
  t.deepEqual(read(), google(undefined))
  t.deepEqual(read(undefined, { projectId: 'shop', databaseId: 'other' }), google('shop', 'other'))
  t.deepEqual(read(undefined, {}, { DATASTORE_EMULATOR_HOST: '127.0.0.1:8081', GOOGLE_CLOUD_PROJECT: 'shop' }), emulator('127.0.0.1', 8081))
  t.deepEqual(read(undefined, {}, { DATASTORE_EMULATOR_HOST: 'http://[::1]:8081', GCLOUD_PROJECT: 'shop' }), emulator('[::1]', 8081))
  t.deepEqual(read('datastore://shop', {}, { DATASTORE_EMULATOR_HOST: 'localhost:8081' }), emulator('localhost', 8081))
  t.deepEqual(read('http://localhost:1/shop', {}, { DATASTORE_EMULATOR_HOST: 'localhost:2', DATASTORE_PROJECT_ID: 'other' }), emulator('localhost', 1))
  t.deepEqual(read(undefined, { projectId: 'example.com:shop' }, { DATASTORE_PROJECT_ID: 'other' }), google('example.com:shop'))
})

test('what is not understood is refused, and names its setting', (t) => {
  const wrong = [
    '', 'my-project', 'redis://localhost', 'datastore://', 'datastore:///shop', 'datastore://shop/a/b', 'http://localhost:1/a/b/c',
    'datastore://shop?database=x', 'http://localhost:1/shop#x', 'http://localhost:99999/shop', 'http://localhost:1/%zz',
  ]
  for (const url of wrong) t.is(fault(url), 'PHIAL_CONFIG url', url)
  t.is(fault('datastore://UPPER CASE'), 'PHIAL_CONFIG url')
  t.is(fault('datastore://Shop'), 'PHIAL_CONFIG datastore.project_id')
  t.is(fault('datastore://shop/A_B'), 'PHIAL_CONFIG datastore.database_id')
  t.is(fault('datastore://shop', { projectId: 'forum' }), 'PHIAL_CONFIG datastore.project_id')
  t.is(fault('datastore://shop/one', { databaseId: 'two' }), 'PHIAL_CONFIG datastore.database_id')
  t.is(fault('http://localhost:8081'), 'PHIAL_CONFIG datastore.project_id')
  t.is(fault(undefined, {}, { DATASTORE_EMULATOR_HOST: 'not a host', GCLOUD_PROJECT: 'shop' }), 'PHIAL_CONFIG url')
})

test('what may be a password is never repeated', (t) => {
  for (const url of ['datastore://user:hunter2@shop', 'https://hunter2@localhost/shop', 'hunter2', 'http://localhost/shop?key=hunter2']) {
    const error = t.throws(() => read(url), { code: 'PHIAL_CONFIG' })
    t.notRegex(`${error.message} ${error.stack}`, /hunter2/)
  }
})
