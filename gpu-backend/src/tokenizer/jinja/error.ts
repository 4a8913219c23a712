/** What is wrong with a template, or what a template says is wrong with the messages. */
export class TemplateError extends Error {
  override readonly name = 'TemplateError'
}

/** What Python says of a value of the wrong type, and of other wrong values. */
export function fail(message: string): never {
  throw new TemplateError(message)
}
