import { plain } from './stand-ins.ts'

/** What is wrong with a template, or what a template says is wrong with the messages. */
export class TemplateError extends Error {
  override readonly name = 'TemplateError'

  constructor(message: string, options?: ErrorOptions) {
    super(plain(message), options)
  }
}

/** What Python says of a value of the wrong type, and of other wrong values. */
export function fail(message: string): never {
  throw new TemplateError(message)
}
