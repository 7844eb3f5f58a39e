import type { DefinitionMark, DriftChange } from '@portcullis/contracts/api/drift';
import { plainText } from '../plain-text.js';

const marksShown = 5;

/** A change that a server made, in one line and one more for each mark. Names are the server's words. */
export function describeDrift({ at, server, change, definition, decision, marks }: DriftChange): string {
  const what = definition === null ? plainText(server, 64) : `${plainText(definition.ref, 160)} (${definition.kind})`;
  const said = decision === null ? '' : `, ${decision.verdict}${decision.by === null ? '' : ` by ${plainText(decision.by, 64)}`}`;
  return [`${at.slice(0, 16).replace('T', ' ')}  ${change.padEnd(8)} ${what}${said}`, ...describeMarks(marks)].join('\n');
}

/** What deserves a second look, a line each. */
export function describeMarks(marks: readonly DefinitionMark[]): string[] {
  const lines = marks
    .slice(0, marksShown)
    .map(({ code, pointer, detail }) => `      ! ${code} at ${plainText(pointer, 100)}: ${plainText(detail, 160)}`);
  return marks.length > marksShown ? [...lines, `      ! and ${String(marks.length - marksShown)} more`] : lines;
}
