/** A command's options; a flag that cannot be meant is told on stderr, and asks for the help, with exit code 2. */
export function optionsOrHelp<Options>(read: (args: string[]) => Options | 'help'): Options | 'help' {
  try {
    return read(process.argv.slice(2))
  } catch (error) {
    console.error(`${(error as Error).message}\n`)
    process.exitCode = 2
    return 'help'
  }
}
