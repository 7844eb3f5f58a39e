import { styleText } from 'node:util';

const shownCharacters = 1200;

/** A step did not give what the tour says. */
export class TourError extends Error {
  override readonly name = 'TourError';
}

const cut = (line: string): string =>
  line.length <= shownCharacters ? line : `${line.slice(0, shownCharacters)}… (${line.length - shownCharacters} more characters)`;

const indented = (mark: string, text: string): string =>
  text
    .split('\n')
    .map((line) => `   ${mark}${cut(line)}`)
    .join('\n');

let steps = 0;

/** Opens the next step with its number. */
export function step(title: string, why: string): void {
  steps += 1;
  console.log(`\n${styleText('bold', `${steps}. ${title}`)}\n${indented('', why)}\n`);
}

/** What is sent; credentials are never part of `head` or `body`. */
export function sent(head: string, body?: unknown): void {
  const lines = body === undefined ? head : `${head}\n${JSON.stringify(body)}`;
  console.log(styleText('cyan', indented('> ', lines)));
}

/** What came back, long lines cut. */
export function received(head: string, body: string): void {
  console.log(indented('< ', body === '' ? head : `${head}\n${body}`));
}

/** Says that something holds, or ends the tour because it does not. */
export function check(holds: boolean, says: string): void {
  if (!holds) throw new TourError(says);
  console.log(`   ${styleText('green', '✓')} ${says}\n`);
}

/** The last word when the tour cannot go on. */
export function fail(error: unknown): void {
  const words = error instanceof TourError ? `✗ not so: ${error.message}` : `✗ ${error instanceof Error ? error.message : String(error)}`;
  console.error(`\n   ${styleText('red', words, { stream: process.stderr })}`);
}
