/** What a seal is bound to, as one text: two different triples never give the same. */
export const boundTo = (name: string, purpose: string, context: string): string => JSON.stringify([name, purpose, context])
