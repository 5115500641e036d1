/** Node of the tree that several path patterns make up together. */
export interface PatternNode {
  /** Children by a pattern of one name with at most one star. */
  readonly children: ReadonlyMap<string, PatternNode>;
  /** Whether a file may lie here. */
  readonly isFile: boolean;
}

interface MutableNode {
  readonly children: Map<string, MutableNode>;
  isFile: boolean;
}

/** Parses path patterns with slashes, such as `projects/*` and a name below it. */
export function parsePatterns(patterns: readonly string[]): PatternNode {
  const root: MutableNode = { children: new Map(), isFile: false };
  for (const pattern of patterns) {
    let node = root;
    for (const part of pattern.split('/')) {
      const child = node.children.get(part) ?? { children: new Map<string, MutableNode>(), isFile: false };
      node.children.set(part, child);
      node = child;
    }
    node.isFile = true;
  }
  return root;
}

/** Returns whether a name matches a pattern with at most one star. */
export function matchesName(pattern: string, name: string): boolean {
  const star = pattern.indexOf('*');
  if (star < 0) return pattern === name;
  const end = pattern.slice(star + 1);
  return name.length >= pattern.length - 1 && name.startsWith(pattern.slice(0, star)) && name.endsWith(end);
}

/** Returns the children of nodes that a name matches. */
export function childrenFor(nodes: readonly PatternNode[], name: string): readonly PatternNode[] {
  return nodes.flatMap(({ children }) =>
    [...children].flatMap(([pattern, child]) => (matchesName(pattern, name) ? [child] : [])),
  );
}

/** Returns the names of the children if none of them has a star, so that the directory need not be listed. */
export function literalNames(nodes: readonly PatternNode[]): readonly string[] | null {
  const names = nodes.flatMap(({ children }) => [...children.keys()]);
  return names.some((name) => name.includes('*')) ? null : [...new Set(names)];
}

/** Returns whether a path with slashes matches a file or a directory on the way to one. */
export function matchPath(root: PatternNode, path: string): 'file' | 'directory' | null {
  let nodes: readonly PatternNode[] = [root];
  for (const name of path.split('/')) nodes = childrenFor(nodes, name);
  if (nodes.some(({ isFile }) => isFile)) return 'file';
  return nodes.length > 0 ? 'directory' : null;
}
