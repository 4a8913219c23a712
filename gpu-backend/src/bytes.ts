const units = ['bytes', 'KB', 'MB', 'GB', 'TB']

/** With three digits or so, in powers of 1000: `2.17 MB`. */
export function formatBytes(bytes: number): string {
  const power = bytes < 1000 ? 0 : Math.min(Math.floor(Math.log10(bytes) / 3), units.length - 1)
  return `${power === 0 ? bytes : (bytes / 1000 ** power).toPrecision(3)} ${units[power]}`
}
