/** A place in JSON that paths lead through: what comes next by name, and whether the value here is to be replaced. */
export interface PathNode {
  readonly next: Map<string, PathNode>;
  replaced: boolean;
}

const ANY = '*';

const newNode = (): PathNode => ({ next: new Map(), replaced: false });

/** JSON pointers (RFC 6901) in which a `*` stands for every member or element. Undefined where there are none. */
export function compilePaths(paths: readonly string[]): PathNode | undefined {
  if (paths.length === 0) return undefined;
  const root = newNode();
  for (const path of paths) {
    let node = root;
    for (const segment of path.split('/').slice(1)) {
      const name = segment.replaceAll('~1', '/').replaceAll('~0', '~');
      const next = node.next.get(name) ?? newNode();
      node.next.set(name, next);
      node = next;
    }
    node.replaced = true;
  }
  return root;
}

const NOWHERE: readonly PathNode[] = [];

/** Where the paths that have led here lead from here by this member or element. */
export function follow(nodes: readonly PathNode[], name: string): readonly PathNode[] {
  if (nodes.length === 0) return nodes;
  const found = nodes.flatMap(({ next }) => [next.get(name), next.get(ANY)].filter((node) => node !== undefined));
  return found.length === 0 ? NOWHERE : found;
}

export const isReplaced = (nodes: readonly PathNode[]): boolean => nodes.some(({ replaced }) => replaced);
