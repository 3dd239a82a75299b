import { registerCompletionHandler } from 'ava'

/** Milliseconds that a file may take to end after its last test. */
const PATIENCE_MS = 5_000

/** In every file of tests: ava says which one did not end, and this is what kept it from that. */
registerCompletionHandler(() => {
  setTimeout(() => process.stderr.write(`the tests are over, and kept alive by ${process.getActiveResourcesInfo().join(', ')}\n`), PATIENCE_MS).unref()
})
