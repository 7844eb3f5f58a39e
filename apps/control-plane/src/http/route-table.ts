/** A route as Fastify knows it. */
export interface Route {
  readonly method: string;
  readonly pattern: string;
}

/** The routes that exist, so that a known path with another method is told apart from an unknown path. */
export class RouteTable {
  readonly routes: Route[] = [];

  add(method: string | readonly string[], pattern: string): void {
    for (const one of typeof method === 'string' ? [method] : method) this.routes.push({ method: one, pattern });
  }

  methodsOf(url: string): string[] {
    const segments = segmentsOf(url.split(/[?#]/, 1)[0] ?? '');
    const found = this.routes.filter(({ pattern }) => matches(segmentsOf(pattern), segments));
    return [...new Set(found.map(({ method }) => method))].sort();
  }
}

const segmentsOf = (path: string): string[] => path.split('/');

function matches(pattern: readonly string[], path: readonly string[]): boolean {
  return pattern.length === path.length && pattern.every((segment, at) => (segment.startsWith(':') ? path[at] !== '' : segment === path[at]));
}
