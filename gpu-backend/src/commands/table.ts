/** Columns as wide as their widest cell; numbers and all else to the right, the last column to the left. */
export function table(head: readonly string[], rows: readonly (readonly (string | number)[])[]): string {
  const lines = [head, ...rows.map((row) => row.map(String))]
  const widths = head.map((_, column) => Math.max(...lines.map((line) => line[column]!.length)))
  return lines
    .map((line) =>
      line
        .map((cell, column) =>
          cell !== '' && column === head.length - 1 && head[column] === '' ? cell : cell.padStart(widths[column]!),
        )
        .join('   ')
        .trimEnd(),
    )
    .join('\n')
}
