const NAME = /^[\p{ID_Start}$_][\p{ID_Continue}$]*$/u

/** Where a value stands, as one would write it: `user.born`, `items[3]`, `["first name"]`. */
export const valuePath = (steps: readonly (string | number)[]): string => {
  let path = ''
  for (const step of steps) {
    if (typeof step === 'number') path += `[${step}]`
    else if (!NAME.test(step)) path += `[${JSON.stringify(step)}]`
    else path += path === '' ? step : `.${step}`
  }
  return path
}
