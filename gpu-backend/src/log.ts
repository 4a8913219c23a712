import { inspect } from 'node:util'

/** One line of JSON for the operator, whose fields a log can be searched by. */
export const logLine = (fields: object): void => console.error(JSON.stringify(fields))

/** An error with its stack and causes, as a field of such a line. */
export const stackOf = (error: unknown): string => inspect(error, { colors: false })
