import { ConfigError } from '../../src/config/index.js';

const SKIPPED = ': is skipped – ';

/**
 * Returns the mistakes that prevent the start, or else those of the servers that are skipped, without their places in the
 * file, which differ between the tests.
 */
export async function mistakesOf(
  loading: Promise<{ readonly warnings: readonly string[] }>,
): Promise<readonly string[]> {
  try {
    const { warnings } = await loading;
    return toMistakes(warnings.filter((warning) => warning.includes(SKIPPED)));
  } catch (error) {
    if (error instanceof ConfigError) return toMistakes(error.problems);
    throw error;
  }
}

function toMistakes(lines: readonly string[]): readonly string[] {
  return lines.flatMap((line) =>
    (line.split(SKIPPED)[1] ?? line).replace(/ \([^()]*\.json(?:, line \d+)?\)/g, '').split('; '),
  );
}
