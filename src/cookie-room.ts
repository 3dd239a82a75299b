/** A browser drops a cookie whose name and value are longer together, the "=" not counted (RFC 6265bis, 5.6). */
export const MOST_COOKIE_OCTETS = 4096
