import { type Restriction, UNRESTRICTED } from '../domain/index.js';

/** Who asks, as far as it matters to what is answered. */
export interface Viewer {
  /** Equal for all who may see and do the same, whoever they are: what one of them is told may be told to all. */
  readonly scope: string;
  readonly restriction: Restriction;
}

/** The viewer where there is no authentication. */
export const EVERYONE: Viewer = { scope: 'everyone', restriction: UNRESTRICTED };
