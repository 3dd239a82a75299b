import { readFileSync } from 'node:fs'
import type { Route, Routes } from './router.js'
import { sources } from './shown-code.js'

const asset = (name: string, type: string): [path: string, Route] => {
  const body = readFileSync(new URL(name, sources))
  const answer = { status: 200, headers: { 'Content-Type': type, 'Cache-Control': 'max-age=300' }, body }
  return [`/${name}`, { GET: () => answer }]
}

export const assets: Routes = new Map([
  asset('style.css', 'text/css; charset=utf-8'),
  asset('icon.svg', 'image/svg+xml'),
])
