// The same again, each call in the thread pool.
import '../support/on-remote-disk.js'
import './file-leases.test.js'
import './file-owners.test.js'
import './file-purge.test.js'
import './file-start.test.js'
import './file.test.js'
