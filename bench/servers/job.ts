/** What every server does with a session, whoever keeps it. */

export const SECRET = 'hB7w_2nQxR9mZ-c4LkV0tJ6sPfY1gD8e'
export const ENCRYPT_KEY = 'Kq3_zT8vX-1nB6mW0rJ5sHd9fLp2gC7y'

export const paths = { untouched: '/', read: '/read', write: '/write', create: '/create' } as const

export const UNTOUCHED = 'ok'

export interface Data {
  user: string
  count: number
  [key: string]: unknown
}

const cart = Array.from({ length: 9 }, (_, index) =>
  ({ id: 4711 + index, name: `Teapot with ${index + 2} cups, blue`, quantity: index + 1, price: 1999 + 350 * index, isGift: index % 2 === 0 }))

let made = 0

/** The data of a new session: 1 KB of JSON, and a user that no other session of this process has. */
export const newData = (): Data => {
  made += 1
  return { user: `user-${made}`, count: 0, name: 'Ada Lovelace', email: 'ada@example.org', roles: ['customer', 'reviewer', 'beta'], language: 'en-GB', theme: 'dark', address, cart }
}

const address = { street: '12 St James’s Square', city: 'London', postcode: 'SW1Y 4JH', country: 'GB' }
