export function randomFrom(seed: number): () => number;
export function randomBytes(random: () => number, length: number): Buffer;
export function randomLine(random: () => number): Buffer;
