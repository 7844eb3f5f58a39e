/** Text for Prisma's `contains`, which would read `%` and `_` as wildcards. */
export function literalLike(text: string): string {
  return text.replaceAll(/[\\%_]/g, String.raw`\$&`);
}
