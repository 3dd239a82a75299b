/** Whether HTTP, browsers, proxies or phial itself know a header of this name for something else than an id. */
export const isKnownHeader = (name: string): boolean => known.has(name.toLowerCase()) || families.test(name)

const families = /^(?:accept|access-control|alt|content|cross-origin|delta|digest|if|origin|proxy|sec|strict-transport|want|x-forwarded)(?:-|$)/i

/** Of the field names that IANA lists (RFC 9110, section 18.4), those in use, and some that are in use without being listed. */
const known = new Set([
  // messages and connections
  'connection', 'date', 'expect', 'host', 'http2-settings', 'keep-alive', 'max-forwards', 'te', 'trailer', 'trailers', 'transfer-encoding', 'upgrade', 'via',
  // cookies and authentication
  'authentication-info', 'authorization', 'cookie', 'cookie2', 'dpop', 'set-cookie', 'set-cookie2', 'www-authenticate', 'x-csrf-token',
  // contents, ranges and caches
  'age', 'cache-control', 'cache-status', 'cdn-cache-control', 'clear-site-data', 'etag', 'expires', 'last-modified', 'pragma', 'range', 'surrogate-control', 'vary', 'warning',
  // requests
  'dnt', 'early-data', 'forwarded', 'from', 'idempotency-key', 'last-event-id', 'prefer', 'priority', 'purpose', 'referer', 'save-data', 'traceparent', 'tracestate',
  'upgrade-insecure-requests', 'user-agent', 'x-http-method-override', 'x-real-ip', 'x-requested-with',
  // responses
  'allow', 'link', 'location', 'nel', 'permissions-policy', 'preference-applied', 'referrer-policy', 'refresh', 'report-to', 'reporting-endpoints', 'retry-after', 'server',
  'server-timing', 'service-worker-allowed', 'sourcemap', 'timing-allow-origin', 'x-accel-redirect', 'x-content-type-options', 'x-dns-prefetch-control', 'x-frame-options',
  'x-powered-by', 'x-robots-tag', 'x-sendfile', 'x-xss-protection',
])
