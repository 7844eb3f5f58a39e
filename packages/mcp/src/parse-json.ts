import { CLOSE_BRACE, CLOSE_BRACKET, COLON, COMMA, isKeyEnd, OPEN_BRACE, OPEN_BRACKET, QUOTE, skipSpace, skipString, SPACE } from './json-scan.js';

const LETTER_A = 0x61;

/**
 * `JSON.parse`, whatever was parsed before. The engine's own takes a member name that is written with an escape for one it has seen, when the escaped text
 * begins like that one: so any sender could change how another's message is read. Texts without such a name, which are nearly all, are left to it.
 * Throws the same SyntaxError. Depth costs no stack.
 */
export function parseJson(text: string): unknown {
  const value: unknown = JSON.parse(text);
  const escape = text.indexOf('\\');
  return escape !== -1 && hasEscapedName(text, escape) ? build(text) : value;
}

/** Whether a name is written with an escape, the first of which is at `at`. In text that is JSON a backslash is always within a string. */
function hasEscapedName(text: string, at: number): boolean {
  let escape = at;
  while (escape !== -1) {
    const end = skipString(text, escape - 1);
    if (isKeyEnd(text, end)) return true;
    escape = text.indexOf('\\', end);
  }
  return false;
}

/** An array or object that is not closed yet, and in an object the name whose value comes next. */
interface Open {
  readonly into: object;
  name: string | undefined;
}

/** The value of text that is JSON, put together by hand: a string alone is read rightly. */
function build(text: string): unknown {
  const open: Open[] = [];
  let top: Open = { into: [], name: undefined };
  const root = top.into as unknown[];
  for (let i = skipSpace(text, 0); i < text.length; i = skipSpace(text, i)) {
    const code = text.charCodeAt(i);
    if (code === OPEN_BRACE || code === OPEN_BRACKET) {
      const into = code === OPEN_BRACE ? {} : [];
      put(top, into);
      open.push(top);
      top = { into, name: undefined };
      i += 1;
    } else if (code === CLOSE_BRACE || code === CLOSE_BRACKET) {
      top = open.pop() ?? top;
      i += 1;
    } else if (code === COMMA || code === COLON) {
      i += 1;
    } else if (code === QUOTE) {
      const end = skipString(text, i);
      // Parsed even where nothing is escaped: a slice would hold the whole text for as long as it is kept itself.
      const string = JSON.parse(text.slice(i, end)) as string;
      if (isKeyEnd(text, end)) top.name = string;
      else put(top, string);
      i = end;
    } else {
      const end = scalarEnd(text, i);
      put(top, scalarOf(text.slice(i, end)));
      i = end;
    }
  }
  return root[0];
}

/** Offset behind the number or word at `at`. */
function scalarEnd(text: string, at: number): number {
  for (let i = at + 1; i < text.length; i += 1) {
    const code = text.charCodeAt(i);
    if (code <= SPACE || code === COMMA || code === CLOSE_BRACE || code === CLOSE_BRACKET) return i;
  }
  return text.length;
}

function scalarOf(token: string): unknown {
  if (token.charCodeAt(0) < LETTER_A) return Number(token);
  return token === 'null' ? null : token === 'true';
}

function put({ into, name }: Open, value: unknown): void {
  if (Array.isArray(into)) into.push(value);
  // Defined, not assigned: `__proto__` is a member like any other.
  else Object.defineProperty(into, name ?? '', { value, writable: true, enumerable: true, configurable: true });
}
