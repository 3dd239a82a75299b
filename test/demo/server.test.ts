import test from 'ava'
import { readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import type { Socket } from 'node:net'
import { join } from 'node:path'
import { clientOf } from '../support/app.js'
import { start } from '../support/demo-program.js'
import { freshFolder, serverScript, startSite, submit, tokenFrom, wordsOf } from '../support/demo-site.js'
import { hear } from '../support/hear.js'

test('the first start makes a secret that only its owner can read, and later ones keep it', async (t) => {
  const cwd = freshFolder(t)
  const { program } = await startSite(t, cwd)
  const secret = readFileSync(join(cwd, 'data/secret'), 'utf8')
  t.is(Buffer.from(secret.trim(), 'base64url').length, 32)
  t.is(statSync(join(cwd, 'data/secret')).mode & 0o777, 0o600)
  t.is(statSync(join(cwd, 'data')).mode & 0o777, 0o700)
  await program.stop('SIGTERM')
  await startSite(t, cwd)
  t.is(readFileSync(join(cwd, 'data/secret'), 'utf8'), secret)
})

for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  test(`${signal} stops it cleanly, and a restart keeps cart and log-in`, async (t) => {
    const cwd = freshFolder(t)
    const { program, url } = await startSite(t, cwd)
    const before = clientOf(url)
    await submit(before, '/login/in', { name: 'Ada' })
    await submit(before, '/cart/add', { product: 'Camphor' })
    t.deepEqual(await program.stop(signal), { code: 0, signal: null })

    const after = clientOf((await startSite(t, cwd)).url, before.jar)
    t.regex(wordsOf(await after.text('/cart')), /Products in cart: 1/)
    t.regex(wordsOf(await after.text('/login')), /logged in as Ada/)
  })
}

/** A form of which the server has the head and waits for the rest: `100 Continue` says so. */
const beginForm = async (url: string, cookie: string, length: number): Promise<Socket> => {
  const { hostname, port, host } = new URL(url)
  const socket = connect(Number(port), hostname)
  const type = 'application/x-www-form-urlencoded'
  const head = ['POST /cart/add HTTP/1.1', `Host: ${host}`, `Cookie: ${cookie}`, 'Expect: 100-continue', `Content-Type: ${type}`, `Content-Length: ${length}`]
  socket.write(`${head.join('\r\n')}\r\n\r\n`)
  await hear(socket, /^HTTP\/1\.1 100 Continue\r\n\r\n/)
  return socket
}

test('what was asked before SIGINT is saved and answered before it ends', async (t) => {
  const cwd = freshFolder(t)
  const { program, url } = await startSite(t, cwd)
  const client = clientOf(url)
  const form = `csrf_token=${await tokenFrom(client, '/cart')}&product=Camphor`
  const socket = await beginForm(url, await client.cookies(), form.length)
  t.teardown(() => socket.destroy())

  program.signal('SIGINT')
  await program.says(/Stopping/)
  socket.write(form)
  await hear(socket, /^HTTP\/1\.1 303 See Other\r\n/)
  t.deepEqual(await program.ended, { code: 0, signal: null })

  const after = clientOf((await startSite(t, cwd)).url, client.jar)
  t.regex(wordsOf(await after.text('/cart')), /Products in cart: 1/)
})

test('a second SIGINT stops it at once', async (t) => {
  const { program, url } = await startSite(t, freshFolder(t))
  const socket = await beginForm(url, '', 10)
  t.teardown(() => socket.destroy())
  socket.on('error', () => {})
  program.signal('SIGINT')
  await program.says(/Stopping/)
  t.deepEqual(await program.stop('SIGINT'), { code: null, signal: 'SIGINT' })
})

test('it runs on the other backends too; where sessions are with their clients, there is no list of them', async (t) => {
  for (const type of ['memory', 'cookie']) {
    const { program, url } = await startSite(t, freshFolder(t, { 'session.type = file': `session.type = ${type}` }))
    const client = clientOf(url)
    await submit(client, '/login/in', { name: 'Ada' })
    t.regex(wordsOf(await client.text('/counter')), /^Counter 1 visit/)
    t.regex(wordsOf(await client.text('/counter')), /^Counter 2 visits/)
    const page = wordsOf(await client.text('/login'))
    t.regex(page, /logged in as Ada/)
    t.is(page.includes('Log out everywhere'), type === 'memory')
    const ending = await submit(client, '/login/out-everywhere')
    t.is(ending.status, type === 'memory' ? 303 : 500, type)
    if (type === 'memory') continue
    t.regex(wordsOf(await ending.text()), /Something went wrong here/)
    await program.says(/TypeError: .*cookie/)
  }
})

test('while the store is out of order the answer is 503, and later nothing is lost', async (t) => {
  const cwd = freshFolder(t)
  const client = clientOf((await startSite(t, cwd)).url)
  await client.get('/counter')
  renameSync(join(cwd, 'data/phial'), join(cwd, 'elsewhere'))
  writeFileSync(join(cwd, 'data/phial'), '')
  const answer = await client.get('/counter')
  t.is(answer.status, 503)
  t.is(answer.headers.get('retry-after'), '1')
  t.is((await client.get('/')).status, 200)
  rmSync(join(cwd, 'data/phial'))
  renameSync(join(cwd, 'elsewhere'), join(cwd, 'data/phial'))
  t.regex(wordsOf(await client.text('/counter')), /^Counter 2 visits/)
})

test('a port that is taken is said, with what helps', async (t) => {
  const cwd = freshFolder(t)
  const { url } = await startSite(t, cwd)
  const second = start(t, serverScript, { cwd, env: { PORT: new URL(url).port } })
  t.deepEqual(await second.ended, { code: 1, signal: null })
  t.regex(second.output, /EADDRINUSE.*\nChoose another port: PORT=5001 npm start/)
})
