import type { Backend, BackendContext } from '../src/namespace-manager.js'
import { FileManager } from './file/file-manager.js'
import { manifest, optionTable, type FileOptions } from './file/manifest.js'
import { checkAtStart } from './file/start-check.js'
import { whichDisk } from './file/which-disk.js'

export type { FileOptions } from './file/manifest.js'

/**
 * Keeps each record in a file of its own, for the processes of one machine: `DATA_DIR/NAMESPACE/records/XX/KEY`, beside it
 * `owners/XX/OWNER/KEY`, and the leases in `leases` (below `lock_dir` where that is set).
 *
 * Directories are 0700 and files 0600. `open` looks at the directories (synchronously, a few calls) and refuses, with a
 * `ConfigError`, those that are links, belong to another user, can be written to by others or not by us. They are made at the
 * first write, and again when somebody removes them.
 *
 * A save is on the disk when it is acknowledged, unless `sync` is off; a touch gets there in the system's own time. A damaged
 * file is a corrupt record, not a missing one (see `readRecord`). A full disk or quota and a want of descriptors are
 * `StoreUnavailableError`, a read-only or broken disk and what is not a file of ours `StoreError`; a lock that is not free within
 * 5 s is `StoreTimeoutError`. Whatever fails leaves the record as it was, or whole and new.
 *
 * Where the file system is known to be local, small calls are made at once, without the thread pool (see `LocalDisk` and the option `disk`).
 *
 * Made for local POSIX file systems; one that several machines share was not tried.
 */
export const fileBackend: Backend<FileOptions> = {
  type: 'file',
  supports: manifest,
  options: optionTable,
  open(context: BackendContext<FileOptions>): FileManager {
    const dataDir = checkAtStart(context.dataDir, 'session.data_dir')
    const lockDir = context.lockDir === undefined ? dataDir : checkAtStart(context.lockDir, 'session.lock_dir')
    return new FileManager(context, dataDir, lockDir, whichDisk(context.options.disk, [dataDir, lockDir]))
  }
}
