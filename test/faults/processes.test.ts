import type { ExecutionContext } from 'ava'
import { clientOf } from '../support/app.js'
import type { Client } from '../support/app.js'
import { at, startApp } from '../support/app-process.js'
import type { AppProcess } from '../support/app-process.js'
import { sharedModes, testIn } from '../support/every-backend.js'
import type { Mode } from '../support/every-backend.js'

const start = async (t: ExecutionContext, mode: Mode, count: number): Promise<AppProcess[]> => {
  t.timeout(240_000)
  const settings = await mode.settings(t)
  return Promise.all(Array.from({ length: count }, () => startApp(t, settings)))
}

/** Somebody else who holds the same cookies. */
const thiefOf = ({ jar }: Client, url: string): Client => clientOf(url, jar.cloneSync()!)

const statuses = async (requests: readonly Promise<Response>[]): Promise<number[]> =>
  [...new Set((await Promise.all(requests)).map(({ status }) => status))].sort()

for (const mode of sharedModes) {
  const testIt = testIn(mode)
  testIt(`${mode.name}: 4 processes × 25 requests on one session: all keys are left, and updates count`, async (t) => {
    const processes = await start(t, mode, 4)
    const browser = clientOf(processes[0]!.url)
    await browser.get('/set/first')
    const requests = processes.flatMap((each, p) => Array.from({ length: 25 }, (_, n) => [`/set/k${p}-${n}`, '/add'].map((path) => at(each, browser).get(path))))
    t.deepEqual(await statuses(requests.flat()), [200])
    const data = JSON.parse(await at(processes[3]!, browser).text('/'))
    t.is(Object.keys(data).length, 102)
    t.is(data.n, 100)
    for (const each of processes) await each.kill('SIGTERM')
  })

  testIt(`${mode.name}: a session that one process ended is gone in the others, whatever they were about to do`, async (t) => {
    const processes = await start(t, mode, 2)
    for (const end of ['/logout', '/renew', '/revoke/ann']) {
      for (let round = 0; round < 4; round++) {
        const browser = clientOf(processes[0]!.url)
        await browser.get('/login/ann')
        const thief = thiefOf(browser, processes[1]!.url)
        t.is((await thief.get('/set/a')).status, 200)
        const late = Array.from({ length: 8 }, (_, n) => thiefOf(browser, processes[n % 2]!.url).get(['/set/late', '/add', '/'][n % 3]!))
        const ended = await browser.get(end)
        for (const status of await statuses(late)) t.true([200, 409].includes(status), `${end}: ${status}`)
        t.is(ended.status, 200)
        t.is(await thief.text('/'), '{}', end)
      }
    }
  })

  testIt(`${mode.name}: of renewals in several processes one wins, and no old id lives on`, async (t) => {
    const processes = await start(t, mode, 2)
    for (let round = 0; round < 6; round++) {
      const browser = clientOf(processes[0]!.url)
      await browser.get('/set/a')
      const rivals = Array.from({ length: 6 }, (_, n) => thiefOf(browser, processes[n % 2]!.url))
      const answers = await Promise.all(rivals.map((rival) => rival.get('/renew')))
      // Who comes when it is over finds no session, and renews an empty one.
      const renewed = await Promise.all(answers.filter(({ status }) => status === 200).map((answer) => answer.text()))
      t.is(renewed.filter((text) => text === '{"a":1}').length, 1)
      t.is(await browser.text('/'), '{}')
      const texts = await Promise.all(rivals.map((rival) => rival.text('/')))
      t.is(texts.filter((text) => text === '{"a":1}').length, 1)
    }
  })
}
