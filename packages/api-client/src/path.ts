/** The path of a route (`GET /v1/things/{thing}`), whose braces are filled in order with parts that cannot leave their place, whatever they contain. */
export function pathOf(route: string, parts: readonly string[] = []): string {
  const left = [...parts];
  const path = route.slice(route.indexOf(' ') + 1).replaceAll(/\{\w+\}/g, () => segment(left.shift() ?? ''));
  if (left.length > 0) throw new TypeError(`${route} has no place for ${left.join(', ')}`);
  return path;
}

function segment(part: string): string {
  // A URL parser resolves these two, encoded or not.
  if (part === '' || part === '.' || part === '..') throw new TypeError(`"${part}" cannot be part of a path`);
  return encodeURIComponent(part);
}
