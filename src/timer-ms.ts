/** What a timer may be set to: Node takes more than 2^31 - 1 ms (24.8 days) for 1. */
export const timerMs = (ms: number): number => Math.min(ms, 2 ** 31 - 1)
