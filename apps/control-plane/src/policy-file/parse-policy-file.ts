import { PolicyFile } from '@portcullis/contracts/api/policy-file';
import { type Document, isAlias, isCollection, isNode, isPair, isScalar, LineCounter, parseDocument, visit } from 'yaml';
import { findFault, isUnsafeKey } from '../http/plain-json.js';
import { ProblemError, type Fault } from '../http/problem.js';

const FAULTS_MAX = 50;

/** What a policy file says. Refuses (400) with line and column whatever is no plain YAML, is unknown, or is no policy. */
export function parsePolicyFile(text: string): PolicyFile {
  const lines = new LineCounter();
  const document = parsed(text, lines);
  const at = (offset: number | undefined): string => {
    if (offset === undefined) return '';
    const { line, col } = lines.linePos(offset);
    return ` (line ${line}, column ${col})`;
  };
  // A tag that YAML does not know is a warning there.
  const errors = [...document.errors, ...document.warnings].map(({ message, pos }) => ({ pointer: '', detail: `${wordsOf(message)}${at(pos[0])}` }));
  requireNone([...errors, ...plainFaults(document).map(({ detail, offset }) => ({ pointer: '', detail: `${detail}${at(offset)}` }))]);
  const value: unknown = document.toJS({ maxAliasCount: 0 });
  const fault = findFault(value);
  requireNone(fault === undefined ? [] : [fault]);
  const file = PolicyFile.safeParse(value);
  if (file.success) return file.data;
  const faults = file.error.issues.flatMap((issue) => faultsOf(document, issue));
  throw refusal(faults.map(({ path, detail, offset }) => ({ pointer: pointerOf(path), detail: `${detail}${at(offset)}` })));
}

function parsed(text: string, lineCounter: LineCounter): Document.Parsed {
  try {
    // Equal keys are found below in one pass; here every pair would be compared with every other.
    return parseDocument(text, { lineCounter, version: '1.2', schema: 'core', uniqueKeys: false, merge: false, strict: true, prettyErrors: false });
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw refusal([{ pointer: '', detail: 'is nested too deep' }]);
  }
}

/** Where nesting exhausts the stack, the yaml package reports that among its parse errors. */
const wordsOf = (message: string): string => (message.includes('call stack') ? 'is nested too deep' : message);

const refusal = (faults: readonly Fault[]): ProblemError => new ProblemError('validation', undefined, faults.slice(0, FAULTS_MAX));

function requireNone(faults: readonly Fault[]): void {
  if (faults.length > 0) throw refusal(faults);
}

/** What YAML can say and a policy must not: aliases that multiply, keys given twice or that are no text. */
function plainFaults(document: Document): { detail: string; offset: number | undefined }[] {
  const faults: { detail: string; offset: number | undefined }[] = [];
  visit(document, (_key, node) => {
    const offset = isNode(node) ? node.range?.[0] : undefined;
    if (isAlias(node)) faults.push({ detail: 'aliases are not allowed', offset });
    if (isCollection(node)) {
      const keys = new Set<unknown>();
      for (const item of node.items) {
        if (!isPair(item) || !isScalar(item.key)) {
          if (isPair(item)) faults.push({ detail: 'a key must be a plain text', offset });
          continue;
        }
        const key = String(item.key.value);
        const place = item.key.range?.[0];
        if (keys.has(key)) faults.push({ detail: `${key} is given twice`, offset: place });
        if (isUnsafeKey(key)) faults.push({ detail: `${key} is not allowed`, offset: place });
        keys.add(key);
      }
    }
    return faults.length > FAULTS_MAX ? visit.BREAK : undefined;
  });
  return faults;
}

interface Issue {
  readonly message: string;
  readonly path: readonly PropertyKey[];
  readonly keys?: readonly string[];
}

interface PlacedFault {
  readonly path: readonly string[];
  readonly detail: string;
  readonly offset: number | undefined;
}

/** A schema names unknown members at their parent; each is told where it stands. */
function faultsOf(document: Document, { message, path: where, keys }: Issue): PlacedFault[] {
  const path = where.map(String);
  if (keys === undefined) return [{ path, detail: message, offset: offsetOf(document, path) }];
  return keys.map((key) => ({ path: [...path, key], detail: 'is unknown', offset: offsetOf(document, [...path, key]) }));
}

/** Where a value stands; where it is missing, where its nearest parent does. */
function offsetOf(document: Document, path: readonly string[]): number | undefined {
  for (let length = path.length; length > 0; length -= 1) {
    const node = document.getIn(path.slice(0, length), true);
    if (isNode(node) && node.range) return node.range[0];
  }
  return 0;
}

const pointerOf = (path: readonly string[]): string => path.map((step) => `/${step.replaceAll('~', '~0').replaceAll('/', '~1')}`).join('');
