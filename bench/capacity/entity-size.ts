/**
 * What Datastore counts for an entity of phial's, by its own rules: https://cloud.google.com/datastore/docs/concepts/storage-size. A text takes its bytes of
 * UTF-8 and one more; a time 8; a key its path, its namespace and 16; an entity its key, its properties' names and values and 32. For each indexed
 * property there are two entries of the built-in indexes, rising and falling: each the key, the kind, the property's name and value, and 32.
 */
export const entitySize = (record: number): { readonly entity: number; readonly indexes: number } => {
  const key = text(KIND) + text('0'.repeat(64)) + text('phial') + 16
  const purge = text('purge') + text('0:2026-01-01T00')
  const properties = text('value') + record + 1 + text('version') + text('v'.repeat(22)) + text('expires') + 8 + purge
  return { entity: key + properties + 32, indexes: 2 * (key + text(KIND) + purge + 32) }
}

const KIND = 'PhialSession'

const text = (value: string): number => Buffer.byteLength(value) + 1
