// The same again, each call in the thread pool.
import '../support/on-remote-disk.js'
import './file-syscalls.test.js'
