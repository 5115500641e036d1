/** Rows as aligned columns; control characters are shown as nothing, since cells may come from servers. */
export function formatTable(rows: readonly (readonly string[])[]): string {
  return alignColumns(rows)
    .map((line) => `${line}\n`)
    .join('');
}

/** The same, line by line. */
export function alignColumns(rows: readonly (readonly string[])[]): string[] {
  const clean = rows.map((row) => row.map((cell) => cell.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, ' ')));
  const widths = (clean[0] ?? []).map((_, column) => Math.max(...clean.map((row) => (row[column] ?? '').length)));
  return clean.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd(),
  );
}
