/** One line of JSON for the operator, whose fields a log can be searched by. */
export const logLine = (fields: object): void => console.error(JSON.stringify(fields))
