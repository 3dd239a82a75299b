import test from 'ava'
import { contractCases } from '../contract/index.js'
import { DatastoreEmulator, missingEmulator, tellMissing } from '../support/datastore-emulator.js'
import { datastoreFixture } from '../support/datastore-fixture.js'

tellMissing('the contract of datastore is')

let emulator: DatastoreEmulator | undefined

test.before(async () => {
  if (missingEmulator === undefined) emulator = await DatastoreEmulator.start()
})

test.after.always(() => emulator?.kill())

const testIt = missingEmulator === undefined ? test.serial : test.serial.skip // one at a time: all of them make hundreds of clients

for (const { name, run } of contractCases(datastoreFixture(() => emulator!.url))) testIt(name, (t) => t.notThrowsAsync(run()))
