// Browsers take a cookie whose name has a prefix only if it keeps what that promises (RFC 6265bis section 4.1.3, and `__Http-` of its
// successor), and compare the prefix without regard to case (section 5.4).

/** The prefix as it is written, or the empty string. Each of them asks for `Secure`. */
export const prefixOf = (name: string): string => /^__(?:host-http|host|http|secure)-/i.exec(name)?.[0] ?? ''

/** No `Domain`, and the path `/`. */
export const isHostPrefixed = (name: string): boolean => /host/i.test(prefixOf(name))

/** `HttpOnly`. */
export const isHttpPrefixed = (name: string): boolean => /http/i.test(prefixOf(name))
