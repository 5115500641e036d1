/** Formats rows as aligned columns, one line each. Replaces control characters, because cells may contain text of servers. */
export function formatTable(rows: readonly (readonly string[])[]): string {
  return alignColumns(rows)
    .map((line) => `${line}\n`)
    .join('');
}

/** Formats rows as aligned columns and returns the lines. Replaces control characters. */
export function alignColumns(rows: readonly (readonly string[])[]): string[] {
  const printable = rows.map((row) => row.map((cell) => cell.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, ' ')));
  const widths = (printable[0] ?? []).map((_, column) =>
    Math.max(...printable.map((row) => (row[column] ?? '').length)),
  );
  return printable.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd(),
  );
}
