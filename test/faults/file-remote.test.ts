// The same again, each call in the thread pool.
import '../support/on-remote-disk.js'
import './file-damage.test.js'
import './file-disk.test.js'
import './file-holders.test.js'
import './file-kills.test.js'
import './file-planted.test.js'
