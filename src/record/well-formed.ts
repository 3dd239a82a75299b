/** Whether the text is well-formed Unicode: a lone surrogate would be stored as U+FFFD. (Node has the method; TypeScript's es2023 does not.) */
export const isWellFormed = (text: string): boolean => (text as unknown as { isWellFormed(): boolean }).isWellFormed()
