// Runs by itself too, as the code of a thread: it imports nothing that would have to be compiled first.
import { parentPort, workerData } from 'node:worker_threads';
import { type Document, isAlias, isCollection, isNode, isPair, isScalar, LineCounter, parseDocument, visit } from 'yaml';

/** What is to be read; `paths` are places whose line and column are asked for. */
export interface YamlRequest {
  readonly yaml: string;
  readonly unsafeKeys: readonly string[];
  readonly faultsMax: number;
  readonly paths: readonly (readonly string[])[];
}

/** The value, or what is wrong with the text, each with its line and column; and the lines and columns of the places that were asked for. */
export interface YamlReading {
  readonly faults: readonly string[];
  readonly value: unknown;
  readonly places: readonly string[];
}

/** Reads plain YAML: no tags, aliases or keys given twice. */
export function readYaml({ yaml, unsafeKeys, faultsMax, paths }: YamlRequest): YamlReading {
  const lines = new LineCounter();
  const document = parsed(yaml, lines);
  if (document === undefined) return { faults: [DEEP], value: undefined, places: [] };
  const at = (offset: number | undefined): string => {
    if (offset === undefined) return '';
    const { line, col } = lines.linePos(offset);
    return ` (line ${line}, column ${col})`;
  };
  // A tag that YAML does not know is a warning there.
  const errors = [...document.errors, ...document.warnings].map(({ message, pos }) => `${wordsOf(message)}${at(pos[0])}`);
  const more = plainFaults(document, unsafeKeys, faultsMax).map(({ detail, offset }) => `${detail}${at(offset)}`);
  const faults = [...errors, ...more].slice(0, faultsMax);
  if (faults.length > 0) return { faults, value: undefined, places: [] };
  return { faults, value: document.toJS({ maxAliasCount: 0 }), places: paths.map((path) => at(offsetOf(document, path))) };
}

const DEEP = 'is nested too deep';
/** Nodes above one another: far more than a policy has, and few enough to be handed from thread to thread. */
const ANCESTORS_MAX = 256;

function parsed(text: string, lineCounter: LineCounter): Document.Parsed | undefined {
  try {
    // Equal keys are found below in one pass; here every pair would be compared with every other.
    return parseDocument(text, { lineCounter, version: '1.2', schema: 'core', uniqueKeys: false, merge: false, strict: true, prettyErrors: false });
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    return undefined;
  }
}

/** Where nesting exhausts the stack, the yaml package reports that among its parse errors. */
const wordsOf = (message: string): string => (message.includes('call stack') ? DEEP : message);

interface PlacedFault {
  readonly detail: string;
  readonly offset: number | undefined;
}

/** What YAML can say and a policy must not: aliases that multiply, keys given twice or that are no text. */
function plainFaults(document: Document, unsafeKeys: readonly string[], faultsMax: number): PlacedFault[] {
  const faults: PlacedFault[] = [];
  visit(document, (_key, node, ancestors) => {
    if (ancestors.length > ANCESTORS_MAX) {
      faults.push({ detail: DEEP, offset: undefined });
      return visit.BREAK;
    }
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
        if (unsafeKeys.includes(key)) faults.push({ detail: `${key} is not allowed`, offset: place });
        keys.add(key);
      }
    }
    return faults.length > faultsMax ? visit.BREAK : undefined;
  });
  return faults;
}

/** Where a value stands; where it is missing, where its nearest parent does. */
function offsetOf(document: Document, path: readonly string[]): number {
  for (let length = path.length; length > 0; length -= 1) {
    const node = document.getIn(path.slice(0, length), true);
    if (isNode(node) && node.range) return node.range[0];
  }
  return 0;
}

const isRequest = (data: unknown): data is YamlRequest => typeof data === 'object' && data !== null && 'yaml' in data;
if (isRequest(workerData)) parentPort?.postMessage(readYaml(workerData));
