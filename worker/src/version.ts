/** As `package.json` has it, all of which would else be sent along. */
export const VERSION = '0.1.0'
