import { fileURLToPath } from 'node:url'
import type { SettingsInput } from '../src/index.js'
import { ENCRYPT_KEY } from './servers/job.js'
import type { StoreName } from './run/stores.js'

export type Kind = 'least' | 'phial' | 'peer'

/** Where sessions are kept: the rows of a table that may be compared with each other. */
export const groups = ['memory', 'redis', 'memcache', 'file', 'cookie', 'datastore'] as const
export type Group = (typeof groups)[number]

/** A server, as a program to run. */
export interface Program {
  readonly name: string
  readonly file: string
  args(location: string): string[]
  /** What has to run before it. */
  readonly store?: StoreName
}

/** A server that is a row of the tables. */
export interface Contestant extends Program {
  readonly title: string
  readonly kind: Kind
  readonly group: Group
}

const own = (file: string): string => fileURLToPath(new URL(`servers/${file}.js`, import.meta.url))
const ofPeer = (file: string): string => fileURLToPath(new URL(`../../bench/peers/${file}.js`, import.meta.url))

const least = (group: Group, title: string, store?: StoreName, file: string = group): Contestant =>
  ({ name: `least-${file}`, title: `least work: ${title}`, kind: 'least', group, ...(store && { store }), file: own(`least-${file}`), args: (location) => [location] })

const phial = (group: Group, settings: (location: string) => SettingsInput, store?: StoreName, variant = ''): Contestant => ({
  name: ['phial', group, ...(variant ? [variant.replace(/ /g, '-')] : [])].join('-'), title: ['phial', ...(variant ? [variant] : [])].join(', '),
  kind: 'phial', group, ...(store && { store }), file: own('phial'), args: (location) => [JSON.stringify({ type: group, ...settings(location) })],
})

const peer = (group: Group, title: string, file: string, args: Contestant['args'], store?: StoreName): Contestant =>
  ({ name: title.replace(/\W+/g, ' ').trim().replaceAll(' ', '-'), title, kind: 'peer', group, ...(store && { store }), file: ofPeer(file), args })

const express = (group: Group, storeName: string, store?: StoreName): Contestant =>
  peer(group, `express-session, ${storeName}`, 'express-session', (location) => [storeName, location], store)

/** Node's server alone: all rates are told as parts of its rate. */
export const bare: Program = { name: 'bare', file: own('bare'), args: () => [] }

export const contestants: readonly Contestant[] = [
  least('memory', 'signed cookie, Map of JSON'),
  phial('memory', () => ({})),
  express('memory', 'memory'),
  peer('memory', '@fastify/session', 'fastify-session', () => []),
  peer('memory', 'koa-session, a Map', 'koa-session', () => ['map']),

  least('redis', 'ioredis GET, SET', 'redis'),
  phial('redis', (url) => ({ url }), 'redis'),
  express('redis', 'connect-redis', 'redis'),
  peer('redis', '@fastify/session, connect-redis', 'fastify-session', (url) => [url], 'redis'),

  least('memcache', 'memjs get, set', 'memcached'),
  phial('memcache', (address) => ({ url: `memcache://${address}` }), 'memcached'),
  express('memcache', 'connect-memjs', 'memcached'),
  express('memcache', 'connect-memcached', 'memcached'),

  least('file', 'readFile; temporary file, rename', 'directory'),
  phial('file', (dataDir) => ({ dataDir, file: { sync: false } }), 'directory', 'sync off'),
  phial('file', (dataDir) => ({ dataDir, file: { sync: true } }), 'directory', 'sync on'),
  peer('file', 'express-session, session-file-store (sync on)', 'express-session', (location) => ['session-file-store', location], 'directory'),

  least('cookie', 'AES-256-GCM', undefined, 'encrypted-cookie'),
  phial('cookie', () => ({ encryptKey: ENCRYPT_KEY }), undefined, 'encrypted'),
  peer('cookie', 'iron-session (encrypted)', 'iron-session', () => []),
  peer('cookie', '@fastify/secure-session (encrypted)', 'fastify-secure-session', () => []),
  least('cookie', 'HMAC-SHA256', undefined, 'signed-cookie'),
  phial('cookie', () => ({}), undefined, 'signed'),
  peer('cookie', 'cookie-session (signed)', 'cookie-session', () => []),
  peer('cookie', 'koa-session (signed)', 'koa-session', () => ['cookie']),

  phial('datastore', (url) => ({ url }), 'datastore'),
  express('datastore', 'connect-datastore', 'datastore'),
]
